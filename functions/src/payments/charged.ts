import type Stripe from 'stripe';
import { fromStripeCurrency, type Currency } from '../platform/money.ts';
import { statusOfIntent, type BaseStatus, type Payment } from './payments.ts';

/** What Stripe says was charged, and for what. */
export interface Charged {
  amountMinor: number;
  currency: Currency;
  metadata: Readonly<Record<string, string>>;
}

/** What an event or an answer of Stripe's says of a payment. */
export interface News {
  status: BaseStatus;
  /** Where it succeeded. */
  charged?: Charged;
  failure?: Failure;
}

export interface Failure {
  code?: string;
  message?: string;
  /** Stripe's word for the means of payment: `card`, `sepa_debit`. */
  method?: string;
  /** The attempt it is about. */
  chargeId?: string;
}

export function newsOfIntent(intent: Stripe.PaymentIntent): News {
  const status = statusOfIntent(intent);
  if (status === 'succeeded') {
    const { amount_received: amountMinor, metadata } = intent;
    return { status, charged: { amountMinor, currency: fromStripeCurrency(intent.currency), metadata } };
  }
  const failure = status === 'failed' ? failureOf(intent) : undefined;
  return failure ? { status, failure } : { status };
}

/** A charge that succeeded. */
export function newsOfCharge({ amount: amountMinor, currency, metadata }: Stripe.Charge): News {
  return { status: 'succeeded', charged: { amountMinor, currency: fromStripeCurrency(currency), metadata } };
}

function failureOf({ last_payment_error: error, latest_charge: charge }: Stripe.PaymentIntent): Failure | undefined {
  if (!error) return undefined;
  const code = error.decline_code ?? error.code;
  const method = error.payment_method?.type;
  const chargeId = typeof charge === 'string' ? charge : charge?.id;
  return {
    ...(code ? { code } : {}),
    ...(error.message ? { message: error.message } : {}),
    ...(method ? { method } : {}),
    ...(chargeId ? { chargeId } : {}),
  };
}

/** What of our metadata says whose money it is and for what. */
const telling = ['userId', 'productId', 'orderId', 'sessionId', 'coachId'] as const;

/** Where what was charged is not what was owed; undefined when it is. Nothing is marked paid before this is asked. */
export function differenceFrom(
  payment: Pick<Payment, 'amountMinor' | 'currency' | 'metadata'>,
  charged: Charged,
): string | undefined {
  const pairs: [what: string, owed: string | number | undefined, charged: string | number | undefined][] = [
    ['amount', payment.amountMinor, charged.amountMinor],
    ['currency', payment.currency, charged.currency],
    ...telling.map((key): [string, string | undefined, string | undefined] => [
      `metadata.${key}`,
      payment.metadata[key],
      charged.metadata[key],
    ]),
  ];
  const wrong = pairs.filter(([, owed, was]) => owed !== was);
  if (wrong.length === 0) return undefined;
  return wrong.map(([what, owed, was]) => `${what}: owed ${owed ?? 'none'}, charged ${was ?? 'none'}`).join('; ');
}
