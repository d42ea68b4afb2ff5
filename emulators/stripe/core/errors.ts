import type Stripe from 'stripe';

/** The fields of Stripe's error object that the emulator uses. */
export interface ErrorBody {
  type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error' | 'rate_limit' | 'rate_limit_error';
  message: string;
  code?: string;
  param?: string;
  decline_code?: string;
  advice_code?: string;
  charge?: string;
  doc_url?: string;
  payment_intent?: Stripe.PaymentIntent;
  setup_intent?: Stripe.SetupIntent;
  payment_method?: Stripe.PaymentMethod;
}

/**
 * A refusal, answered as Stripe answers it. `validation` says that the request was refused before it was executed:
 * such an answer is not kept under its idempotency key.
 */
export class StripeFailure extends Error {
  readonly status: number;
  readonly body: ErrorBody;
  readonly validation: boolean;

  constructor(status: number, body: ErrorBody, validation = false) {
    super(body.message);
    this.status = status;
    this.body = body;
    this.validation = validation;
  }
}

const doc = (code: string) => `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}`;

/** A parameter is wrong: 400, never kept under an idempotency key. */
export function badParam(param: string, message: string, code?: string): StripeFailure {
  const coded = code === undefined ? {} : { code, doc_url: doc(code) };
  return new StripeFailure(400, { type: 'invalid_request_error', message, param, ...coded }, true);
}

/** The request is well formed and Stripe refuses it as things are: 400, kept under the idempotency key. */
export function refused(message: string, code?: string, param?: string): StripeFailure {
  const coded = code === undefined ? {} : { code, doc_url: doc(code) };
  return new StripeFailure(400, { type: 'invalid_request_error', message, ...coded, ...(param ? { param } : {}) });
}

/** Something Stripe has and this emulator has not. Said plainly, so that nobody takes it for Stripe's own refusal. */
export function unsupported(param: string, what: string): StripeFailure {
  return badParam(param, `The Stripe emulator does not support ${what}.`, 'emulator_unsupported');
}

/** `No such customer: 'cus_1'`; 404 for an object in the path, 400 for one named by a parameter. */
export function missing(kind: string, id: string, param = 'id', status: 400 | 404 = 404): StripeFailure {
  return new StripeFailure(status, {
    type: 'invalid_request_error',
    message: `No such ${kind}: '${id}'`,
    code: 'resource_missing',
    doc_url: doc('resource_missing'),
    param,
  });
}

export const serverError = () =>
  new StripeFailure(500, {
    type: 'api_error',
    message: 'An error occurred with our connection to the emulator (injected fault).',
  });
