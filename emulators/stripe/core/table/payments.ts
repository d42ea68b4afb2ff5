/** Payments, and reading what money did. */
import type Stripe from 'stripe';
import * as charges from '../../resources/charges.ts';
import * as money from '../../resources/money-lists.ts';
import * as intents from '../../resources/payment-intents.ts';
import { updatePaymentIntent } from '../../resources/update-intent.ts';
import { arr, bool, clearable, expand, int, metadata, obj, oneOf, required, str, paging } from '../params.ts';
import { created, one, route } from './route.ts';
import type { Route } from './route.ts';

const useLater = oneOf('on_session', 'off_session');
const captureMethod = oneOf('automatic', 'automatic_async', 'manual');

export const PAYMENTS_ROUTES: readonly Route[] = [
  route(
    'POST',
    '/v1/payment_intents',
    'any',
    {
      amount: required(int),
      currency: required(str()),
      application_fee_amount: int,
      automatic_payment_methods: obj<Stripe.PaymentIntentCreateParams.AutomaticPaymentMethods>({
        enabled: required(bool),
        allow_redirects: oneOf('always', 'never'),
      }),
      allowed_payment_method_types: arr(str()),
      capture_method: captureMethod,
      confirm: bool,
      customer: str(),
      description: str(1000),
      error_on_requires_action: bool,
      excluded_payment_method_types: arr(str()),
      metadata,
      off_session: bool,
      on_behalf_of: str(),
      payment_method: str(),
      receipt_email: str(),
      return_url: str(),
      setup_future_usage: useLater,
      statement_descriptor_suffix: str(22),
      transfer_data: obj<Stripe.PaymentIntentCreateParams.TransferData>({ destination: required(str()), amount: int }),
      transfer_group: str(),
      expand,
    },
    intents.createPaymentIntent,
  ),
  route('GET', '/v1/payment_intents', 'any', { ...paging, created, customer: str() }, intents.listPaymentIntents),
  route('GET', '/v1/payment_intents/{}', 'any', { client_secret: str(), expand }, intents.retrievePaymentIntent, true),
  route(
    'POST',
    '/v1/payment_intents/{}',
    'any',
    {
      allowed_payment_method_types: arr(str()),
      amount: int,
      application_fee_amount: clearable(int),
      capture_method: captureMethod,
      currency: str(),
      customer: str(),
      description: str(1000),
      excluded_payment_method_types: clearable(arr(str())),
      metadata,
      payment_method: str(),
      receipt_email: clearable(str()),
      setup_future_usage: clearable(useLater),
      statement_descriptor_suffix: str(22),
      transfer_data: obj<Stripe.PaymentIntentUpdateParams.TransferData>({ amount: int }),
      transfer_group: str(),
      expand,
    },
    updatePaymentIntent,
  ),
  route(
    'POST',
    '/v1/payment_intents/{}/confirm',
    'any',
    {
      client_secret: str(),
      payment_method: str(),
      setup_future_usage: useLater,
      receipt_email: str(),
      error_on_requires_action: bool,
      off_session: bool,
      return_url: str(),
      expand,
    },
    intents.confirmPaymentIntent,
    true,
  ),
  route(
    'POST',
    '/v1/payment_intents/{}/cancel',
    'any',
    {
      cancellation_reason: oneOf('duplicate', 'fraudulent', 'requested_by_customer', 'abandoned'),
      expand,
    },
    intents.cancelPaymentIntent,
  ),
  route('GET', '/v1/charges/{}', 'any', one, charges.retrieveCharge),
  route(
    'GET',
    '/v1/charges',
    'any',
    {
      ...paging,
      created,
      customer: str(),
      payment_intent: str(),
      transfer_group: str(),
    },
    charges.listCharges,
  ),
  route('GET', '/v1/balance', 'any', one, money.retrieveBalance),
  route('GET', '/v1/balance_transactions/{}', 'any', one, money.retrieveBalanceTransaction),
  route(
    'GET',
    '/v1/balance_transactions',
    'any',
    {
      ...paging,
      created,
      currency: str(),
      type: str(),
      source: str(),
      payout: str(),
    },
    money.listBalanceTransactions,
  ),
  route('GET', '/v1/transfers/{}', 'any', one, money.retrieveTransfer),
  route(
    'GET',
    '/v1/transfers',
    'any',
    { ...paging, created, destination: str(), transfer_group: str() },
    money.listTransfers,
  ),
  route('GET', '/v1/application_fees/{}', 'any', one, money.retrieveApplicationFee),
  route('GET', '/v1/application_fees', 'any', { ...paging, created, charge: str() }, money.listApplicationFees),
];
