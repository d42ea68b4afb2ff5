/** Connected accounts and payouts. */
import type Stripe from 'stripe';
import * as accounts from '../../resources/accounts.ts';
import * as payouts from '../../resources/payouts.ts';
import { createAccountLink } from '../../resources/onboarding.ts';
import { bool, expand, int, metadata, obj, oneOf, range, required, str, paging } from '../params.ts';
import { created, one, route } from './route.ts';
import type { Route } from './route.ts';

const profile = obj<Stripe.AccountCreateParams.BusinessProfile>({
  mcc: str(4),
  name: str(),
  product_description: str(),
  support_email: str(),
  support_phone: str(),
  url: str(),
});
const capability = obj<{ requested?: boolean }>({ requested: bool });
const capabilities = obj<Stripe.AccountCreateParams.Capabilities>({ transfers: capability, card_payments: capability });
const payoutSettings = obj<Stripe.AccountCreateParams.Settings>({
  payouts: obj<Stripe.AccountCreateParams.Settings.Payouts>({
    debit_negative_balances: bool,
    statement_descriptor: str(22),
    schedule: obj<Stripe.AccountCreateParams.Settings.Payouts.Schedule>({ interval: str() }),
  }),
});
const businessType = oneOf('individual', 'company');

export const CONNECT_ROUTES: readonly Route[] = [
  route(
    'POST',
    '/v1/accounts',
    'platform',
    {
      country: str(2),
      email: str(),
      business_type: businessType,
      business_profile: profile,
      capabilities,
      controller: obj<Stripe.AccountCreateParams.Controller>({
        fees: obj<Stripe.AccountCreateParams.Controller.Fees>({ payer: str() }),
        losses: obj<Stripe.AccountCreateParams.Controller.Losses>({ payments: str() }),
        requirement_collection: oneOf('stripe'),
        stripe_dashboard: obj<Stripe.AccountCreateParams.Controller.StripeDashboard>({
          type: oneOf('express', 'none'),
        }),
      }),
      default_currency: oneOf('sek'),
      metadata,
      settings: payoutSettings,
      expand,
    },
    accounts.createAccount,
  ),
  route('GET', '/v1/accounts/{}', 'platform', one, accounts.retrieveAccount),
  route(
    'POST',
    '/v1/accounts/{}',
    'platform',
    {
      email: str(),
      business_type: businessType,
      business_profile: profile,
      capabilities,
      metadata,
      settings: payoutSettings,
      expand,
    },
    accounts.updateAccount,
  ),
  route('GET', '/v1/accounts', 'platform', { ...paging, created }, accounts.listAccounts),
  route(
    'POST',
    '/v1/account_links',
    'platform',
    {
      account: required(str()),
      type: required(oneOf('account_onboarding')),
      refresh_url: required(str()),
      return_url: required(str()),
      collection_options: obj<Stripe.AccountLinkCreateParams.CollectionOptions>({
        fields: oneOf('currently_due', 'eventually_due'),
      }),
      expand,
    },
    createAccountLink,
  ),
  route(
    'POST',
    '/v1/payouts',
    'any',
    {
      amount: required(int),
      currency: required(str()),
      description: str(),
      destination: str(),
      metadata,
      method: oneOf('standard'),
      source_type: oneOf('card'),
      statement_descriptor: str(22),
      expand,
    },
    payouts.createPayout,
  ),
  route('GET', '/v1/payouts/{}', 'any', one, payouts.retrievePayout),
  route('POST', '/v1/payouts/{}', 'any', { metadata, expand }, payouts.updatePayout),
  route(
    'GET',
    '/v1/payouts',
    'any',
    {
      ...paging,
      created,
      arrival_date: range,
      status: oneOf('pending', 'in_transit', 'paid', 'failed', 'canceled'),
      destination: str(),
    },
    payouts.listPayouts,
  ),
  route('POST', '/v1/payouts/{}/cancel', 'any', one, payouts.cancelPayout),
];
