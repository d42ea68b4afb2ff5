import type { Timestamp } from 'firebase-admin/firestore';
import type { Currency, Minor } from '../platform/money.ts';

export type EarningStatus = 'pending' | 'available' | 'paid' | 'reversed' | 'held';

/** `coaches/{uid}/earnings/{paymentId}`: all a coach may see of a payment to them. Coaches never read `payments`. */
export interface Earning {
  paymentId: string;
  /** What the customer paid, the platform's fee of it; the coach's share is the difference. */
  amountMinor: Minor;
  feeMinor: Minor;
  currency: Currency;
  description: string;
  customerName: string;
  status: EarningStatus;
  /** When Stripe lets the money go to a bank. */
  availableOn?: Timestamp;
  /** In a payout that is frozen, under way or done. A payout that comes back takes its part out again. */
  paidMinor: Minor;
  reversedMinor: Minor;
  /** The sale's ledger document; payout items are named by it. */
  ledgerId: string;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}
