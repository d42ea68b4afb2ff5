/** Subscriptions and their invoices. */
import type Stripe from 'stripe';
import * as invoices from '../../resources/invoices.ts';
import * as subscriptions from '../../resources/subscriptions.ts';
import { arr, expand, int, metadata, obj, oneOf, required, str, paging } from '../params.ts';
import { recurring } from './recurring.ts';
import { created, one, route } from './route.ts';
import type { Route } from './route.ts';

export const BILLING_ROUTES: readonly Route[] = [
  route(
    'POST',
    '/v1/subscriptions',
    'platform',
    {
      customer: required(str()),
      items: required(
        arr(
          obj<Stripe.SubscriptionCreateParams.Item>({
            price: str(),
            price_data: obj<Stripe.SubscriptionCreateParams.Item.PriceData>({
              currency: required(str()),
              product: required(str()),
              unit_amount: required(int),
              recurring: required(recurring),
            }),
            quantity: int,
            metadata,
          }),
        ),
      ),
      collection_method: oneOf('charge_automatically'),
      currency: oneOf('sek'),
      default_payment_method: str(),
      description: str(500),
      metadata,
      payment_behavior: str(),
      payment_settings: obj<Stripe.SubscriptionCreateParams.PaymentSettings>({
        save_default_payment_method: oneOf('on_subscription', 'off'),
      }),
      expand,
    },
    subscriptions.createSubscription,
  ),
  route('GET', '/v1/subscriptions/{}', 'platform', one, subscriptions.retrieveSubscription),
  route(
    'GET',
    '/v1/subscriptions',
    'platform',
    {
      ...paging,
      created,
      customer: str(),
      price: str(),
      status: oneOf('active', 'all', 'canceled', 'ended', 'incomplete', 'incomplete_expired'),
    },
    subscriptions.listSubscriptions,
  ),
  route(
    'DELETE',
    '/v1/subscriptions/{}',
    'platform',
    {
      cancellation_details: obj<Stripe.SubscriptionCancelParams.CancellationDetails>({
        comment: str(),
        feedback: str(),
      }),
      expand,
    },
    subscriptions.cancelSubscription,
  ),
  route('GET', '/v1/invoices/{}', 'platform', one, invoices.retrieveInvoice),
  route(
    'GET',
    '/v1/invoices',
    'platform',
    {
      ...paging,
      created,
      customer: str(),
      status: oneOf('draft', 'open', 'paid', 'uncollectible', 'void'),
      subscription: str(),
    },
    invoices.listInvoices,
  ),
  route('GET', '/v1/invoice_payments/{}', 'platform', one, invoices.retrieveInvoicePayment),
  route(
    'GET',
    '/v1/invoice_payments',
    'platform',
    {
      ...paging,
      created,
      invoice: str(),
      status: oneOf('canceled', 'open', 'paid'),
      payment: obj<Stripe.InvoicePaymentListParams.Payment>({
        type: required(oneOf('payment_intent')),
        payment_intent: required(str()),
      }),
    },
    invoices.listInvoicePayments,
  ),
];
