/** Connected accounts and payouts. */
import type Stripe from 'stripe';
import * as life from '../../resources/account-life.ts';
import * as sessions from '../../resources/account-sessions.ts';
import * as accounts from '../../resources/accounts.ts';
import * as settings from '../../resources/balance-settings.ts';
import * as capabilityList from '../../resources/capabilities.ts';
import * as banks from '../../resources/external-accounts.ts';
import * as payouts from '../../resources/payouts.ts';
import { createAccountLink } from '../../resources/onboarding.ts';
import {
  arr,
  bool,
  clearable,
  either,
  expand,
  int,
  metadata,
  obj,
  oneOf,
  range,
  required,
  str,
  paging,
} from '../params.ts';
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
    schedule: obj<Stripe.AccountCreateParams.Settings.Payouts.Schedule>({
      interval: oneOf('manual', 'daily', 'weekly', 'monthly'),
      weekly_payout_days: arr(str()),
      monthly_payout_days: arr(int),
    }),
  }),
});
const businessType = oneOf('individual', 'company');
const fields = {
  account_holder_name: str(),
  account_holder_type: oneOf('individual', 'company'),
  account_number: required(str()),
  country: required(str(2)),
  currency: str(),
} as const;
const externalAccount = either(
  str(),
  obj<Stripe.AccountCreateExternalAccountParams.BankAccount>({ object: required(oneOf('bank_account')), ...fields }),
);

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
          type: oneOf('express', 'full', 'none'),
        }),
      }),
      default_currency: oneOf('sek'),
      external_account: externalAccount,
      metadata,
      settings: payoutSettings,
      expand,
    },
    accounts.createAccount,
  ),
  route('GET', '/v1/account', 'any', one, accounts.retrieveCurrentAccount),
  route('GET', '/v1/accounts/{}', 'any', one, accounts.retrieveAccount),
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
      method: oneOf('standard', 'instant'),
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
  route('POST', '/v1/payouts/{}/reverse', 'any', { metadata, expand }, payouts.reversePayout),
  route('DELETE', '/v1/accounts/{}', 'platform', {}, life.deleteAccount),
  route(
    'POST',
    '/v1/accounts/{}/reject',
    'platform',
    {
      reason: required(
        oneOf(
          'fraud_payment_method_casher',
          'fraud_payment_method_tester',
          'fraud_no_intent_to_fulfill',
          'fraud_other',
          'credit',
          'terms_of_service',
          'other',
        ),
      ),
      payouts_action: oneOf('none', 'pause'),
      expand,
    },
    life.rejectAccount,
  ),
  route('POST', '/v1/accounts/{}/unreject', 'platform', one, life.unrejectAccount),
  route('GET', '/v1/accounts/{}/capabilities', 'any', one, capabilityList.listCapabilities),
  route('GET', '/v1/accounts/{}/capabilities/{}', 'any', one, capabilityList.retrieveCapability),
  route(
    'POST',
    '/v1/accounts/{}/capabilities/{}',
    'platform',
    { requested: bool, expand },
    capabilityList.updateCapability,
  ),
  route(
    'POST',
    '/v1/accounts/{}/external_accounts',
    'platform',
    { external_account: required(externalAccount), default_for_currency: bool, metadata, expand },
    banks.createExternalAccount,
  ),
  route(
    'GET',
    '/v1/accounts/{}/external_accounts',
    'any',
    { limit: int, starting_after: str(), object: oneOf('bank_account'), expand },
    banks.listExternalAccounts,
  ),
  route('GET', '/v1/accounts/{}/external_accounts/{}', 'any', one, banks.retrieveExternalAccount),
  route(
    'POST',
    '/v1/accounts/{}/external_accounts/{}',
    'platform',
    {
      account_holder_name: str(),
      account_holder_type: clearable(oneOf('individual', 'company')),
      default_for_currency: bool,
      metadata,
      expand,
    },
    banks.updateExternalAccount,
  ),
  route('DELETE', '/v1/accounts/{}/external_accounts/{}', 'platform', {}, banks.deleteExternalAccount),
  route(
    'POST',
    '/v1/tokens',
    'any',
    { bank_account: required(obj<Stripe.TokenCreateParams.BankAccount>(fields)), expand },
    banks.createToken,
  ),
  route('GET', '/v1/tokens/{}', 'any', one, banks.retrieveToken),
  route('POST', '/v1/accounts/{}/login_links', 'platform', one, sessions.createLoginLink),
  route(
    'POST',
    '/v1/account_sessions',
    'platform',
    { account: required(str()), components: required(sessions.componentsKind), expand },
    sessions.createAccountSession,
  ),
  route('GET', '/v1/balance_settings', 'any', one, settings.retrieveBalanceSettings),
  route(
    'POST',
    '/v1/balance_settings',
    'any',
    {
      payments: obj<Stripe.BalanceSettingsUpdateParams.Payments>({
        debit_negative_balances: bool,
        payouts: obj<Stripe.BalanceSettingsUpdateParams.Payments.Payouts>({
          minimum_balance_by_currency: clearable(obj<{ sek?: number }>({ sek: clearable(int) })),
          schedule: obj<Stripe.BalanceSettingsUpdateParams.Payments.Payouts.Schedule>({
            interval: oneOf('manual', 'daily', 'weekly', 'monthly'),
            weekly_payout_days: arr(str()),
            monthly_payout_days: arr(int),
          }),
          statement_descriptor: str(22),
        }),
        settlement_timing: obj<Stripe.BalanceSettingsUpdateParams.Payments.SettlementTiming>({
          delay_days_override: clearable(int),
        }),
      }),
      expand,
    },
    settings.updateBalanceSettings,
  ),
];
