/** What an account has of payments beyond the objects themselves. */

export interface PaymentsBook {
  /** Payment methods the customer has authenticated for later use. */
  readonly setUp: Set<string>;
}

export const createPaymentsBook = (): PaymentsBook => ({ setUp: new Set() });

/** A customer is asked to authenticate: the page under `/_hosted/3ds/{token}`. */
export interface Challenge {
  token: string;
  account: string;
  kind: 'payment_intent' | 'setup_intent';
  /** Of the intent. */
  id: string;
  returnUrl: string | null;
}

/** What falls due on the side of customers' payments. */
export type PaymentsJob =
  | 'debit_clears'
  | 'authorization_expires'
  | 'charge_aftermath'
  | 'refund_succeeds'
  | 'refund_fails'
  | 'dispute_closes'
  | 'dispute_overdue';
