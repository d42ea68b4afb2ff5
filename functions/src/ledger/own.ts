import type { Timestamp } from 'firebase-admin/firestore';
import { minor, negate, zero, type Currency, type Minor } from '../platform/money.ts';
import { assertBalanced, deltas, type Account, type LedgerEntry, type LedgerKind } from './ledger.ts';

/**
 * What Stripe moves on a balance of its own accord, for no sale: what it bills, holds back and lets go, a top-up from the
 * bank, a correction. One document per balance transaction, beside it Stripe's fee on it.
 */
export type Meaning =
  /** A cost that Stripe bills. */
  | 'fee'
  /** Held back by Stripe, and ours (or the coach's) still. */
  | 'reserve'
  /** From the platform's bank, or back to it. */
  | 'topup'
  /** The platform bears it; a gain where the balance got it. */
  | 'loss'
  /** The coach's whose balance moved. */
  | 'coach';

const booked: Record<Meaning, { kind: LedgerKind; against: Account }> = {
  fee: { kind: 'fee', against: 'stripe_fees' },
  reserve: { kind: 'reserve', against: 'dispute_held' },
  topup: { kind: 'topup', against: 'bank_platform' },
  loss: { kind: 'adjustment', against: 'losses' },
  coach: { kind: 'adjustment', against: 'coach_payable' },
};

export interface OwnBooking {
  balanceTransactionId: string;
  occurredAt: Timestamp;
  currency: Currency;
  /** What the balance got, before Stripe's fee; negative: what left it. */
  amountMinor: Minor;
  /** Stripe's fee on it; nearly always zero. */
  feeMinor: Minor;
  /** Whose balance moved; the platform's own, where left out. */
  connected?: { coachId: string; stripeAccountId: string };
}

/** Whoever has these has Stripe's fee on them too. */
const whole: ReadonlySet<Meaning> = new Set(['fee', 'coach']);

/** The documents of one movement; none where nothing moved. A fee has the id that a sale's fee has: it is booked once. */
export function ownEntries(meaning: Meaning, booking: OwnBooking): LedgerEntry[] {
  const { amountMinor, feeMinor } = booking;
  if (whole.has(meaning)) return entry(meaning, booking, minor(amountMinor - feeMinor));
  return [...entry(meaning, booking, amountMinor), ...entry('fee', booking, negate(feeMinor))];
}

function entry(meaning: Meaning, booking: OwnBooking, amountMinor: Minor): LedgerEntry[] {
  if (amountMinor === 0) return [];
  const { balanceTransactionId: id, occurredAt, currency, connected } = booking;
  const { kind, against } = booked[meaning];
  const balance = connected ? 'stripe_connected' : 'stripe_platform';
  const grossMinor = meaning === 'fee' ? negate(amountMinor) : minor(Math.abs(amountMinor));
  return [
    assertBalanced({
      id: `${id}:${kind}`,
      kind,
      occurredAt,
      currency,
      deltas: deltas({ [balance]: amountMinor, [against]: negate(amountMinor) }),
      parts: { grossMinor, coachMinor: zero, feeMinor: zero, vatRate: 0 },
      ...connected,
      stripeObjectId: id,
      balanceTransactionIds: [id],
    }),
  ];
}
