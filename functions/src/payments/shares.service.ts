import type { Transaction } from 'firebase-admin/firestore';
import { readCoach } from '../coaches/coaches.service.ts';
import type { Coach } from '../coaches/coaches.ts';
import { split } from '../coaches/terms.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import type { Currency, Minor } from '../platform/money.ts';
import type { Share } from './plans.ts';

/** The coach's share by the coach's terms of today. `name` is what the customer is told cannot be bought. */
export async function shareOf(
  ctx: Context,
  tx: Transaction,
  coachId: string,
  sold: { name: string; amountMinor: Minor; currency: Currency },
): Promise<Share> {
  const coach: Coach | undefined = await readCoach(ctx, coachId, tx);
  if (!coach?.stripeAccountId || !coach.acceptsPayments) {
    throw new Refusal(
      'failed-precondition',
      'coach-not-accepting',
      `The coach of ${sold.name} cannot take payments yet.`,
    );
  }
  if (coach.terms.chargeModel !== 'destination') {
    throw new Refusal(
      'unimplemented',
      'charge-model-unavailable',
      `Payments with the charge model ${coach.terms.chargeModel} cannot be taken yet.`,
    );
  }
  const shares = split(sold.amountMinor, coach.terms, sold.currency);
  return { coachId, stripeAccountId: coach.stripeAccountId, ...shares };
}
