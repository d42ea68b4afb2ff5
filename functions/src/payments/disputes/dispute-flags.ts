import type { FlagInput } from '../../admin/flags.ts';
import { businessDate } from '../../platform/clock.ts';
import { formatMoney } from '../../platform/money.ts';
import type { Dispute } from './disputes.ts';

export const disputeFlagId = (id: string): string => `dispute_${id}`;

const what: Partial<Record<Dispute['stage'], string>> = {
  inquiry: 'The customer’s bank asks about',
  open: 'The customer’s bank disputes',
  appeal: 'The bank lets us appeal against the loss of',
};

const deadline = ({ evidenceDueBy }: Dispute): string =>
  evidenceDueBy ? `by ${businessDate(evidenceDueBy.toDate())}` : 'at once';

function answer(dispute: Dispute): string {
  if (!dispute.evidenceDueBy) {
    return 'The bank takes no answer to this one. See the dispute in the Stripe dashboard; nothing else is to be done.';
  }
  const rests = dispute.coachId && dispute.stage === 'open' ? ' The coach’s share rests until the bank decides.' : '';
  return `Send evidence ${deadline(dispute)} (submitDisputeEvidence, or in the Stripe dashboard with files), or accept the dispute there.${rests}`;
}

/** An answer is wanted. One flag for each dispute, whatever becomes of it. */
export const needsAnswer = (id: string, dispute: Dispute): FlagInput => ({
  id: disputeFlagId(id),
  kind: 'dispute',
  severity: 'critical',
  subject: `disputes/${id}`,
  message: `${what[dispute.stage] ?? 'An answer is wanted about'} ${formatMoney(dispute.amountMinor, dispute.currency)} of payment ${dispute.paymentId} (${dispute.reason}). Answer ${deadline(dispute)}.`,
  action: answer(dispute),
});

export const reminder = (id: string, dispute: Dispute): FlagInput => ({
  ...needsAnswer(id, dispute),
  message: `Reminder: dispute ${id} over ${formatMoney(dispute.amountMinor, dispute.currency)} (${dispute.reason}) has no answer yet. It is lost unless one is sent ${deadline(dispute)}.`,
});
