import type { ChargeModel } from '../coaches/terms.ts';
import type { Currency, Minor } from '../platform/money.ts';
import type { VatLine } from './vat.ts';

/** What a customer pays for: a catalogue product, an order or a session. */
export type Target = { kind: 'product' | 'order' | 'session'; id: string };

/** What a coach gets of it. */
export interface Share {
  coachId: string;
  stripeAccountId: string;
  chargeModel: ChargeModel;
  coachMinor: Minor;
  feeMinor: Minor;
}

/** What is owed, by whom and to whom: read from our documents and frozen when the command was accepted. */
export interface Owed {
  productId?: string;
  orderId?: string;
  sessionId?: string;
  description: string;
  amountMinor: Minor;
  currency: Currency;
  /** Percent, inside the price; of several rates the effective one. */
  vatRate: number;
  /** Set when there are several rates. */
  vatLines?: VatLine[];
  /** Set when a coach shares in it. */
  coach?: Share;
  /** The price is held until sessions are completed (a bundle; a session's is so by itself). */
  held?: true;
  /**
   * Names the attempt where something is paid once only (an order, a session): whoever starts the same attempt gets the
   * same PaymentIntent. Without it every command makes its own.
   */
  attempt?: string;
  /** The PaymentIntent that is open for it already: it is used, none is made. */
  openPaymentId?: string;
}

/** What a command will do; a resumed run asks Stripe for exactly this. */
export interface PaymentPlan extends Owed {
  email?: string;
  customerName: string;
  /** Who confirms the purchase to the customer: Stripe by mail to `email`, or we with a letter. Never both. */
  receipt: 'stripe' | 'letter';
  paymentMethodId?: string;
  savePaymentMethod: boolean;
}
