import type { FlagInput } from '../../admin/flags.ts';
import { formatMoney } from '../../platform/money.ts';
import { inWords, type OwnerOfBalance, type StripeMovement } from './stripe-own.ts';

export const movementKind = 'stripe-movement-unexplained';

const prefix = 'stripe-movement_';

export const movementFlagId = (balanceTransactionId: string): string => `${prefix}${balanceTransactionId}`;

/** The balance transaction that a flag is about. */
export const flaggedMovement = ({ id }: Pick<FlagInput, 'id'>): string => id.slice(prefix.length);

export function movementFlag(movement: StripeMovement, owner: OwnerOfBalance): FlagInput {
  const { id, amountMinor, feeMinor, currency } = movement;
  const where = owner ? `${owner.stripeAccountId} (coach ${owner.coachId})` : 'the platform';
  const account = owner ? `, stripeAccountId ${owner.stripeAccountId}` : '';
  const choices = owner
    ? "'coach' (it is the coach's), 'loss' (ours), 'fee' or 'reserve'"
    : "'loss', 'fee', 'reserve' or 'topup'";
  const fee = feeMinor === 0 ? '' : ` with a fee of ${formatMoney(feeMinor, currency)}`;
  return {
    id: movementFlagId(id),
    kind: movementKind,
    severity: 'critical',
    subject: owner ? `coaches/${owner.coachId}` : `balanceTransactions/${id}`,
    message: `Stripe moved ${formatMoney(amountMinor, currency)}${fee} on ${where} for none of our sales: ${id}, ${inWords(movement)}. It is not in the books.`,
    action: `Look ${id} up in the Stripe dashboard, then book it with explainTransaction: balanceTransactionId ${id}${account}, as ${choices}.`,
  };
}
