import type { Transaction } from 'firebase-admin/firestore';
import { readCoach } from '../coaches/coaches.service.ts';
import type { Coach } from '../coaches/coaches.ts';
import { split } from '../coaches/terms.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import type { Currency, Minor } from '../platform/money.ts';
import type { Share } from './plans.ts';

/** What is sold, as far as its sharing goes. */
export interface Sold {
  /** What the customer is told cannot be bought. */
  name: string;
  amountMinor: Minor;
  currency: Currency;
  /**
   * The share is sent by a transfer of its own (sessions, subscriptions), so that `destination` terms charge as `separate`.
   */
  sentLater?: boolean;
}

/** The coach's share by the coach's terms of today. Refused while the coach's account cannot be charged that way. */
export async function shareOf(ctx: Context, tx: Transaction, coachId: string, sold: Sold): Promise<Share> {
  const coach: Coach | undefined = await readCoach(ctx, coachId, tx);
  if (!coach?.stripeAccountId || !coach.acceptsPayments) {
    throw new Refusal(
      'failed-precondition',
      'coach-not-accepting',
      `The coach of ${sold.name} cannot take payments yet.`,
    );
  }
  const { terms } = coach;
  if (terms.chargeModel === 'direct' && !(coach.chargesEnabled && coach.takesCards)) {
    throw new Refusal(
      'failed-precondition',
      'account-takes-no-cards',
      `${sold.name} is sold on the seller's own Stripe account, which cannot take card payments yet.`,
    );
  }
  const chargeModel = terms.chargeModel === 'destination' && sold.sentLater ? 'separate' : terms.chargeModel;
  return {
    coachId,
    stripeAccountId: coach.stripeAccountId,
    chargeModel,
    ...split(sold.amountMinor, terms, sold.currency),
  };
}
