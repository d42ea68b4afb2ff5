/** The side of the customer: captures, SetupIntents, refunds, disputes, reviews, payment methods made from cards. */
import type Stripe from 'stripe';
import * as radar from '../../resources/aftermath.ts';
import { capturePaymentIntent } from '../../resources/capture.ts';
import { updateCharge } from '../../resources/charge-update.ts';
import * as disputes from '../../resources/disputes.ts';
import * as fees from '../../resources/fee-refunds-api.ts';
import * as making from '../../resources/make-method.ts';
import { searchCharges, searchPaymentIntents } from '../../resources/payment-search.ts';
import * as refunds from '../../resources/refunds.ts';
import * as setups from '../../resources/setup-intents.ts';
import { arr, bool, clearable, expand, int, metadata, obj, oneOf, required, str, paging } from '../params.ts';
import { created, one, route } from './route.ts';
import type { Route } from './route.ts';

const address = clearable(
  obj<Stripe.AddressParam>({
    city: str(),
    country: str(),
    line1: str(),
    line2: str(),
    postal_code: str(),
    state: str(),
  }),
);
const billing = obj<Stripe.PaymentMethodUpdateParams.BillingDetails>({
  address,
  email: clearable(str()),
  name: clearable(str()),
  phone: clearable(str()),
});
const redisplay = oneOf('always', 'limited', 'unspecified');
const evidence = obj<Stripe.DisputeUpdateParams.Evidence>(
  Object.fromEntries(disputes.EVIDENCE_TEXTS.map((name) => [name, clearable(str(150_000))])),
);

const query = { query: required(str()), limit: int, page: str(), expand } as const;

export const CUSTOMER_PAYMENTS_ROUTES: readonly Route[] = [
  route('GET', '/v1/payment_intents/search', 'any', query, searchPaymentIntents),
  route('GET', '/v1/charges/search', 'any', query, searchCharges),
  route(
    'POST',
    '/v1/payment_intents/{}/capture',
    'any',
    {
      amount_to_capture: int,
      application_fee_amount: int,
      final_capture: oneOf('true'),
      metadata,
      transfer_data: obj<Stripe.PaymentIntentCaptureParams.TransferData>({ amount: int }),
      expand,
    },
    capturePaymentIntent,
  ),
  route(
    'POST',
    '/v1/setup_intents',
    'any',
    {
      allowed_payment_method_types: arr(str()),
      automatic_payment_methods: obj<Stripe.SetupIntentCreateParams.AutomaticPaymentMethods>({
        enabled: required(oneOf('true')),
        allow_redirects: oneOf('always', 'never'),
      }),
      confirm: bool,
      customer: str(),
      description: str(1000),
      excluded_payment_method_types: arr(str()),
      metadata,
      payment_method: str(),
      return_url: str(),
      usage: oneOf('on_session', 'off_session'),
      expand,
    },
    setups.createSetupIntent,
  ),
  route(
    'GET',
    '/v1/setup_intents',
    'any',
    { ...paging, created, customer: str(), payment_method: str() },
    setups.listSetupIntents,
  ),
  route('GET', '/v1/setup_intents/{}', 'any', { client_secret: str(), expand }, setups.retrieveSetupIntent, true),
  route(
    'POST',
    '/v1/setup_intents/{}',
    'any',
    { customer: str(), description: str(1000), metadata, payment_method: str(), expand },
    setups.updateSetupIntent,
  ),
  route(
    'POST',
    '/v1/setup_intents/{}/confirm',
    'any',
    { client_secret: str(), payment_method: str(), return_url: str(), expand },
    setups.confirmSetupIntent,
    true,
  ),
  route(
    'POST',
    '/v1/setup_intents/{}/cancel',
    'any',
    { cancellation_reason: oneOf('abandoned', 'duplicate', 'requested_by_customer'), expand },
    setups.cancelSetupIntent,
  ),
  route(
    'POST',
    '/v1/charges/{}',
    'any',
    {
      description: str(1000),
      fraud_details: obj<Stripe.ChargeUpdateParams.FraudDetails>({ user_report: oneOf('fraudulent', 'safe') }),
      metadata,
      receipt_email: str(),
      transfer_group: str(),
      expand,
    },
    updateCharge,
  ),
  route(
    'POST',
    '/v1/refunds',
    'any',
    {
      amount: int,
      charge: str(),
      metadata,
      payment_intent: str(),
      reason: oneOf('duplicate', 'fraudulent', 'requested_by_customer'),
      refund_application_fee: bool,
      reverse_transfer: bool,
      expand,
    },
    refunds.createRefund,
  ),
  route('POST', '/v1/application_fees/{}/refunds', 'platform', { amount: int, metadata, expand }, fees.createFeeRefund),
  route('GET', '/v1/application_fees/{}/refunds', 'platform', paging, fees.listFeeRefunds),
  route('GET', '/v1/application_fees/{}/refunds/{}', 'platform', one, fees.retrieveFeeRefund),
  route('POST', '/v1/application_fees/{}/refunds/{}', 'platform', { metadata, expand }, fees.updateFeeRefund),
  route('GET', '/v1/refunds', 'any', { ...paging, created, charge: str(), payment_intent: str() }, refunds.listRefunds),
  route('GET', '/v1/refunds/{}', 'any', one, refunds.retrieveRefund),
  route('POST', '/v1/refunds/{}', 'any', { metadata, expand }, refunds.updateRefund),
  route('POST', '/v1/refunds/{}/cancel', 'any', one, refunds.cancelRefund),
  route(
    'GET',
    '/v1/disputes',
    'any',
    { ...paging, created, charge: str(), payment_intent: str() },
    disputes.listDisputes,
  ),
  route('GET', '/v1/disputes/{}', 'any', one, disputes.retrieveDispute),
  route('POST', '/v1/disputes/{}', 'any', { evidence, metadata, submit: bool, expand }, disputes.updateDispute),
  route('POST', '/v1/disputes/{}/close', 'any', one, disputes.closeDispute),
  route('GET', '/v1/reviews', 'any', { ...paging, created }, radar.listReviews),
  route('GET', '/v1/reviews/{}', 'any', one, radar.retrieveReview),
  route('POST', '/v1/reviews/{}/approve', 'any', one, radar.approveReview),
  route(
    'GET',
    '/v1/radar/early_fraud_warnings',
    'any',
    { ...paging, created, charge: str(), payment_intent: str() },
    radar.listWarnings,
  ),
  route('GET', '/v1/radar/early_fraud_warnings/{}', 'any', one, radar.retrieveWarning),
  route(
    'POST',
    '/v1/payment_methods',
    'any',
    {
      type: required(oneOf('card', 'sepa_debit')),
      allow_redisplay: redisplay,
      billing_details: billing,
      card: obj<Stripe.PaymentMethodCreateParams.Card>({
        cvc: str(4),
        exp_month: int,
        exp_year: int,
        number: str(),
        token: str(),
      }),
      metadata,
      sepa_debit: obj<Stripe.PaymentMethodCreateParams.SepaDebit>({ iban: required(str()) }),
      expand,
    },
    making.createPaymentMethod,
    true,
  ),
  route(
    'POST',
    '/v1/payment_methods/{}',
    'any',
    {
      allow_redisplay: redisplay,
      billing_details: billing,
      card: obj<Stripe.PaymentMethodUpdateParams.Card>({ exp_month: int, exp_year: int }),
      metadata,
      expand,
    },
    making.updatePaymentMethod,
  ),
];
