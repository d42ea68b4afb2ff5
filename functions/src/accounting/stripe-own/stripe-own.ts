import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import type { Meaning, OwnBooking } from '../../ledger/own.ts';
import { minor, fromStripeCurrency, type Currency, type Minor } from '../../platform/money.ts';
import { idOf } from '../../platform/stripe.ts';

/** Stripe's own movements: balance transactions that belong to no charge, transfer or payout of ours. */

/** A balance transaction, as much of it as booking it needs. Amounts are Stripe's, signed. */
export interface StripeMovement {
  id: string;
  /** Stripe's `type`; of the ones below, or one that came later. */
  type: string;
  sourceId?: string;
  createdMs: number;
  /** From when a bank may have it. */
  availableMs: number;
  amountMinor: Minor;
  feeMinor: Minor;
  currency: Currency;
  /** In Stripe's words. */
  description: string | null;
}

export const movementOf = (transaction: Stripe.BalanceTransaction): StripeMovement => {
  const sourceId = idOf(transaction.source);
  return {
    id: transaction.id,
    type: transaction.type,
    ...(sourceId === undefined ? {} : { sourceId }),
    createdMs: transaction.created * 1000,
    availableMs: transaction.available_on * 1000,
    amountMinor: minor(transaction.amount),
    feeMinor: minor(transaction.fee),
    currency: fromStripeCurrency(transaction.currency),
    description: transaction.description,
  };
};

/**
 * Whether it moved the balance that is paid out from. What Stripe keeps on balances of their own (reserved, prefunded,
 * issuing) is in neither `available` nor `pending`.
 */
export const movesBalance = ({ balance_type }: Stripe.BalanceTransaction): boolean => balance_type === 'payments';

/** Whose balance moved: a coach's, or (undefined) the platform's own. */
export type OwnerOfBalance = { coachId: string; stripeAccountId: string } | undefined;

/** What is to be done with a movement that nothing explains. */
export type Treatment =
  /** Its type says what it is. */
  | Extract<Meaning, 'fee' | 'reserve' | 'topup'>
  /** Stripe's events book it, or the sweep does. */
  | 'events'
  /** Only a person can tell. */
  | 'person';

/** The types that the SDK names; it leaves room for others. */
type Named<T = Stripe.BalanceTransaction['type']> = T extends string ? (string extends T ? never : T) : never;

/** Every type that the SDK knows: one that a new version brings does not compile until it is placed. */
const treatments: Record<Named, Treatment> = {
  stripe_fee: 'fee',
  stripe_fx_fee: 'fee',
  tax_fee: 'fee',
  payment_network_reserve_hold: 'reserve',
  payment_network_reserve_release: 'reserve',
  payout_minimum_balance_hold: 'reserve',
  payout_minimum_balance_release: 'reserve',
  reserve_hold: 'reserve',
  reserve_release: 'reserve',
  reserve_transaction: 'reserve',
  reserved_funds: 'reserve',
  topup: 'topup',
  topup_reversal: 'topup',
  application_fee: 'events',
  application_fee_refund: 'events',
  charge: 'events',
  payment: 'events',
  payment_refund: 'events',
  payout: 'events',
  payout_cancel: 'events',
  payout_failure: 'events',
  refund: 'events',
  refund_failure: 'events',
  transfer: 'events',
  transfer_refund: 'events',
  adjustment: 'person',
  advance: 'person',
  advance_funding: 'person',
  anticipation_repayment: 'person',
  climate_order_purchase: 'person',
  climate_order_refund: 'person',
  connect_collection_transfer: 'person',
  contribution: 'person',
  fee_credit_funding: 'person',
  inbound_transfer: 'person',
  inbound_transfer_reversal: 'person',
  issuing_authorization_hold: 'person',
  issuing_authorization_release: 'person',
  issuing_dispute: 'person',
  issuing_dispute_provisional_credit: 'person',
  issuing_dispute_provisional_credit_reversal: 'person',
  issuing_transaction: 'person',
  obligation_outbound: 'person',
  obligation_reversal_inbound: 'person',
  payment_failure_refund: 'person',
  payment_reversal: 'person',
  payment_unreconciled: 'person',
  stripe_balance_payment_debit: 'person',
  stripe_balance_payment_debit_reversal: 'person',
  tax_fund: 'person',
  transfer_cancel: 'person',
  transfer_failure: 'person',
};

const isNamed = (type: string): type is Named => Object.hasOwn(treatments, type);

const isDispute = (id: string | undefined): boolean => /^(du|dp)_/.test(id ?? '');

export function treatmentOf(
  { type, sourceId }: Pick<StripeMovement, 'type' | 'sourceId'>,
  connected: boolean,
): Treatment {
  const treatment = isNamed(type) ? treatments[type] : 'person';
  if (type === 'adjustment' && isDispute(sourceId)) return 'events';
  // On a coach's account the type does not tell who bears a cost, nor whose money was put in.
  return connected && (treatment === 'fee' || treatment === 'topup') ? 'person' : treatment;
}

/** Types that the platform's own balance is asked for every night. */
export const collectedTypes: readonly string[] = Object.keys(treatments).filter((type) =>
  ['fee', 'reserve', 'topup'].includes(treatmentOf({ type }, false)),
);

/** Stripe bills some fees of a charge or a dispute apart from it: the event that books those knows the payment too. */
export const isOfPayment = ({ sourceId }: StripeMovement): boolean => /^(ch|py|du|dp)_/.test(sourceId ?? '');

/** The names that a document can know it by. */
export const namesOf = ({ id, sourceId }: StripeMovement): string[] => (sourceId === undefined ? [id] : [id, sourceId]);

export const bookingOf = (
  { id, createdMs, currency, amountMinor, feeMinor }: StripeMovement,
  connected: OwnerOfBalance,
): OwnBooking => ({
  balanceTransactionId: id,
  occurredAt: Timestamp.fromMillis(createdMs),
  currency,
  amountMinor,
  feeMinor,
  ...(connected ? { connected } : {}),
});

/** What Stripe calls it. */
export const inWords = ({ type, description }: StripeMovement): string =>
  description === null ? type : `${type}, "${description}"`;
