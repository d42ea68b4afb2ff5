import type { LedgerEntry } from '../../ledger/ledger.ts';
import type { KeptShare } from '../../ledger/returns.ts';
import type { Minor } from '../../platform/money.ts';
import type { Payment } from '../payments.ts';

/**
 * What Stripe has booked after a charge: refunds, transfers taken back, fees given back, disputes. An event is only a hint
 * to look; what is found is plain JSON, kept with the event. All of it merges in any order: objects are only added, and
 * their states only rise.
 */
export interface AftermathFacts {
  paymentId: string;
  chargeId: string;
  /** The connected account a direct charge is on; null: the platform's own. */
  tenantAccountId: string | null;
  refunds: RefundFound[];
  reversals: ReversalFound[];
  feeRefunds: FeeRefundFound[];
  disputes: DisputeFound[];
}

/** A balance transaction. Amounts in its currency's minor units, signed as Stripe has them. */
export interface Movement {
  id: string;
  /** Unix seconds. */
  created: number;
  amountMinor: number;
  feeMinor: number;
  currency: string;
}

export type RefundStatus = 'pending' | 'succeeded' | 'failed' | 'canceled';

export interface RefundFound {
  id: string;
  status: RefundStatus;
  amountMinor: number;
  currency: string;
  reason: string | null;
  failureReason: string | null;
  createdMs: number;
  metadata: Record<string, string>;
  /** null while the refund waits for money. */
  taken: Movement | null;
  /** The money came back. */
  failed: Movement | null;
}

/** A transfer taken back, on both sides. */
export interface ReversalFound {
  id: string;
  transferId: string;
  stripeAccountId: string;
  amountMinor: number;
  there: Movement;
  /** On the coach's balance; its fee (negative) is the application fee that came back with it. null: not ours to see. */
  here: Movement | null;
}

export interface FeeRefundFound {
  id: string;
  stripeAccountId: string;
  amountMinor: number;
  there: Movement;
  /** The movement on the coach's balance that carries it: its own, or the reversal's or refund's it came with. */
  hereId: string | null;
}

export interface DisputeFound {
  id: string;
  /** Stripe's word. */
  status: string;
  reason: string;
  amountMinor: number;
  currency: string;
  createdMs: number;
  evidenceDueByMs: number | null;
  isInquiry: boolean;
  evidenceSubmitted: boolean;
  withdrawnMinor: number;
  reinstatedMinor: number;
  movements: Movement[];
  /** Of a tenant's dispute: what Stripe bills the platform for it. */
  platformFees: Movement[];
}

/** What the payment's document remembers of each, so that late and repeated news change nothing. */
export interface Aftermath {
  refunds: Record<string, { amountMinor: Minor; status: RefundStatus }>;
  disputes: Record<
    string,
    { withdrawnMinor: Minor; reinstatedMinor: Minor; status: string; lostMinor: Minor; decisions: number }
  >;
}

/** What follows from facts for one payment. */
export interface AftermathBooked {
  entries: LedgerEntry[];
  /** Of refunds that cancel a session late, booked in this step: what stays, by Stripe's refund id. */
  kept: ReadonlyMap<string, KeptShare>;
  patch: Partial<Payment>;
  /** The coach's share that goes back (negative: comes again), in this step. */
  returnedShareMinor: Minor;
  /** The coach's share rests: a dispute is undecided. */
  held: boolean;
}
