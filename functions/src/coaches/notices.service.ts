import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type { FlagInput } from '../admin/flags.ts';
import { planFlag } from '../admin/flags.service.ts';
import { hours } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { planLetter } from '../platform/mail.ts';
import type { Write } from '../platform/write.ts';
import { trouble, withRest, type Coach } from './coaches.ts';
import { bankChangedLetter, deadlineLetter, troubleLetter } from './letters.ts';

/**
 * What follows from what Stripe now says of a coach: payouts rest from a change of where they go, and people hear of that,
 * of a restriction and of a deadline for what is due, once, in the commit that notes it.
 */
export async function planFollowUps(
  ctx: Context,
  tx: Transaction,
  coachId: string,
  before: Coach,
  next: Coach,
): Promise<{ coach: Coach; writes: Write[] }> {
  const at = Timestamp.fromDate(ctx.clock.now());
  const { coach, changed } = withRest(before, next, hours(ctx.config.bankChangeRestHours), at);
  const writes: Write[] = [];
  if (changed && coach.payoutRest) {
    const letter = bankChangedLetter(coachId, before, coach, coach.payoutRest.until);
    writes.push(planLetter(ctx.db, `bank-changed_${coachId}_${at.toMillis()}`, letter));
  }
  const kind = trouble(coach);
  if (kind && kind !== trouble(before)) {
    writes.push(planLetter(ctx.db, `account-${kind}_${coachId}_${at.toMillis()}`, troubleLetter(coachId, coach)));
    writes.push(...(await planFlag(ctx, tx, troubleFlag(coachId, coach, kind))));
  }
  const deadline = coach.requirementsDeadline;
  if (deadline && !kind && deadline.toMillis() !== before.requirementsDeadline?.toMillis()) {
    const id = `requirements-due_${coachId}_${deadline.toMillis()}`;
    writes.push(planLetter(ctx.db, id, deadlineLetter(coachId, coach, deadline)));
  }
  return { coach, writes };
}

const troubleFlag = (coachId: string, coach: Coach, kind: 'restricted' | 'rejected'): FlagInput => ({
  id: `account-${kind}_${coach.stripeAccountId ?? coachId}`,
  kind: `account-${kind}`,
  severity: kind === 'rejected' ? 'critical' : 'warning',
  subject: `coaches/${coachId}`,
  message: `Stripe has ${kind} this coach's account (${coach.disabledReason ?? 'no reason given'}); due: ${
    coach.requirementsDue.join(', ') || 'nothing the coach could give'
  }.`.slice(0, 800),
  action:
    kind === 'rejected'
      ? 'See the reason in the Stripe dashboard and appeal there, or settle with the coach what the ledger still owes them.'
      : 'The coach was written to and sees on their page what is asked. Help them if it stays so; payouts rest until then.',
});
