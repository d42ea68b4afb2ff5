/** The answers that belong to no resource. */
import type Stripe from 'stripe';
import { StripeFailure, badParam } from './errors.ts';

export const logUrl = (requestId: string) => `https://dashboard.stripe.com/test/logs/${requestId}`;

export const failed = (failure: StripeFailure, requestId: string) => ({
  status: failure.status,
  body: { error: { ...failure.body, request_log_url: logUrl(requestId) } },
});

const SAFE: readonly (keyof Stripe.PaymentIntent | keyof Stripe.SetupIntent)[] = [
  'id',
  'object',
  'amount',
  'automatic_payment_methods',
  'canceled_at',
  'cancellation_reason',
  'capture_method',
  'client_secret',
  'confirmation_method',
  'created',
  'currency',
  'description',
  'last_payment_error',
  'last_setup_error',
  'livemode',
  'next_action',
  'payment_method',
  'payment_method_types',
  'processing',
  'receipt_email',
  'setup_future_usage',
  'shipping',
  'source',
  'status',
  'usage',
];

/** What Stripe.js may see of a PaymentIntent or a SetupIntent; a payment method it made it may see whole. */
export const safeFields = (body: object): object =>
  'object' in body && body.object === 'payment_method'
    ? body
    : Object.fromEntries(Object.entries(body).filter(([name]) => (SAFE as readonly string[]).includes(name)));

export const unknownUrl = (method: string, path: string) =>
  new StripeFailure(404, {
    type: 'invalid_request_error',
    message: `Unrecognized request URL (${method}: ${path}). The Stripe emulator has no such route; GET /_emulator lists those it has.`,
  });

export const secretKeyNeeded = () =>
  new StripeFailure(401, {
    type: 'invalid_request_error',
    code: 'secret_key_required',
    message: 'This API call cannot be made with a publishable API key. Please use a secret API key.',
  });

/** In v2 the error has another type, and the SDK another class for it. */
export const tooMany = (path: string) =>
  new StripeFailure(429, {
    type: path.startsWith('/v2/') ? 'rate_limit' : 'rate_limit_error',
    code: 'rate_limit',
    message: 'Request rate limit exceeded (injected fault).',
  });

export const noMethodTypes = () =>
  badParam(
    'payment_method_types',
    'The `payment_method_types` parameter is no longer supported. Use `allowed_payment_method_types`, ' +
      '`excluded_payment_method_types` or neither.',
    'payment_method_types_no_longer_supported',
  );
