/** Checkout Sessions and the customer portal. */
import type Stripe from 'stripe';
import * as checkout from '../../resources/billing/checkout.ts';
import * as portal from '../../resources/billing/portal.ts';
import { arr, bool, clearable, expand, int, metadata, obj, oneOf, paging, required, str } from '../params.ts';
import { automaticTax, discounts, num, subscriptionTransfer, trialSettings } from './billing-kinds.ts';
import { recurring } from './recurring.ts';
import { created, one, route } from './route.ts';
import type { Route } from './route.ts';

type Create = Stripe.Checkout.SessionCreateParams;
type Line = Stripe.Checkout.SessionCreateParams.LineItem;

const lineItem = obj<Line>({
  price: str(),
  price_data: obj<NonNullable<Line['price_data']>>({
    currency: required(str()),
    product: str(),
    product_data: obj<NonNullable<NonNullable<Line['price_data']>['product_data']>>({
      name: required(str()),
      metadata,
    }),
    recurring,
    unit_amount: required(int),
  }),
  quantity: int,
});

const features = obj<Stripe.BillingPortal.ConfigurationCreateParams.Features>({
  invoice_history: obj<Stripe.BillingPortal.ConfigurationCreateParams.Features.InvoiceHistory>({
    enabled: required(bool),
  }),
  payment_method_update: obj<Stripe.BillingPortal.ConfigurationCreateParams.Features.PaymentMethodUpdate>({
    enabled: required(bool),
  }),
  subscription_cancel: obj<Stripe.BillingPortal.ConfigurationCreateParams.Features.SubscriptionCancel>({
    enabled: required(bool),
    mode: oneOf('at_period_end', 'immediately'),
    proration_behavior: oneOf('none'),
  }),
});
const profile = obj<Stripe.BillingPortal.ConfigurationCreateParams.BusinessProfile>({
  headline: clearable(str(60)),
  privacy_policy_url: clearable(str()),
  terms_of_service_url: clearable(str()),
});

export const CHECKOUT_ROUTES: readonly Route[] = [
  route(
    'POST',
    '/v1/checkout/sessions',
    'any',
    {
      allow_promotion_codes: bool,
      automatic_tax: automaticTax,
      cancel_url: str(),
      client_reference_id: str(200),
      currency: str(),
      customer: str(),
      customer_creation: oneOf('always', 'if_required'),
      customer_email: str(512),
      discounts,
      expires_at: int,
      line_items: arr(lineItem),
      locale: str(10),
      metadata,
      mode: required(oneOf('payment', 'setup', 'subscription')),
      payment_intent_data: obj<NonNullable<Create['payment_intent_data']>>({
        application_fee_amount: int,
        description: str(1000),
        metadata,
        receipt_email: str(),
        setup_future_usage: oneOf('on_session', 'off_session'),
        statement_descriptor_suffix: str(22),
        transfer_data: obj<Stripe.PaymentIntentCreateParams.TransferData>({
          destination: required(str()),
          amount: int,
        }),
        transfer_group: str(),
      }),
      setup_intent_data: obj<NonNullable<Create['setup_intent_data']>>({ description: str(1000), metadata }),
      subscription_data: obj<NonNullable<Create['subscription_data']>>({
        application_fee_percent: num,
        description: str(500),
        metadata,
        transfer_data: subscriptionTransfer,
        trial_end: int,
        trial_period_days: int,
        trial_settings: trialSettings,
      }),
      success_url: str(),
      ui_mode: oneOf('hosted_page'),
      expand,
    },
    checkout.createSession,
  ),
  route('GET', '/v1/checkout/sessions/{}', 'any', one, checkout.retrieveSession),
  route('POST', '/v1/checkout/sessions/{}', 'any', { metadata, expand }, checkout.updateSession),
  route(
    'GET',
    '/v1/checkout/sessions',
    'any',
    {
      ...paging,
      created,
      customer: str(),
      payment_intent: str(),
      status: oneOf('complete', 'expired', 'open'),
      subscription: str(),
    },
    checkout.listSessions,
  ),
  route('GET', '/v1/checkout/sessions/{}/line_items', 'any', paging, checkout.listLineItems),
  route('POST', '/v1/checkout/sessions/{}/expire', 'any', one, checkout.expireSession),
  route(
    'POST',
    '/v1/billing_portal/configurations',
    'any',
    { business_profile: profile, default_return_url: clearable(str()), features: required(features), metadata, expand },
    portal.createConfiguration,
  ),
  route('GET', '/v1/billing_portal/configurations/{}', 'any', one, portal.retrieveConfiguration),
  route(
    'POST',
    '/v1/billing_portal/configurations/{}',
    'any',
    { active: bool, business_profile: profile, default_return_url: clearable(str()), features, metadata, expand },
    portal.updateConfiguration,
  ),
  route(
    'GET',
    '/v1/billing_portal/configurations',
    'any',
    { ...paging, active: bool, is_default: bool },
    portal.listConfigurations,
  ),
  route(
    'POST',
    '/v1/billing_portal/sessions',
    'any',
    { configuration: str(), customer: required(str()), locale: str(10), return_url: str(), expand },
    portal.createPortalSession,
  ),
];
