/** Connected accounts (v1, with controller properties). */
import type Stripe from 'stripe';
import { unsupported } from '../core/errors.ts';
import { embedded, inRange, page } from '../core/list.ts';
import { mergeMetadata, textOrNull } from '../core/params.ts';
import type { ExpandOnly } from '../core/params.ts';
import { bookOf, createBook, isPlatform } from '../core/world.ts';
import type { Book, World } from '../core/world.ts';
import { CAPABILITIES, accountNamed, requireCapabilities, requirementsOf, visibleAccount } from './account-state.ts';
import { settingsOf as balanceSettings, saveSettings, scheduleOf } from './balance-settings.ts';
import { addBank } from './banks.ts';
import { requestCapabilities } from './capabilities.ts';
import { orderOf } from './external-accounts.ts';
import { settleRequirement } from './requirements.ts';

/** What a Swedish individual must tell before money may move. */
export const DUE_AT_START = [
  'business_profile.product_description',
  'external_account',
  'individual.address.city',
  'individual.address.line1',
  'individual.address.postal_code',
  'individual.dob.day',
  'individual.dob.month',
  'individual.dob.year',
  'individual.email',
  'individual.first_name',
  'individual.last_name',
  'individual.phone',
  'tos_acceptance.date',
  'tos_acceptance.ip',
];

export function createAccount(world: World, _: Book, params: Stripe.AccountCreateParams): Stripe.Account {
  if (params.country !== 'SE')
    throw unsupported('country', `accounts in ${params.country ?? 'no country'}; pass country SE`);
  const schedule = scheduleOf({ interval: 'daily', ...params.settings?.payouts?.schedule }, SCHEDULE);
  const bank = params.external_account === undefined ? undefined : orderOf(world, params.external_account);
  const controller = controllerOf(params.controller);
  const requested = CAPABILITIES.filter((name) => params.capabilities?.[name]?.requested === true);
  requireCapabilities(world, requested);
  const id = world.ids.next('acct', 16);
  const account: Stripe.Account = {
    id,
    object: 'account',
    business_profile: profileOf(undefined, params.business_profile),
    business_type: params.business_type ?? null,
    capabilities: Object.fromEntries(requested.map((name) => [name, 'inactive'])),
    charges_enabled: false,
    controller,
    country: 'SE',
    created: world.now,
    default_currency: 'sek',
    details_submitted: false,
    email: params.email ?? null,
    external_accounts: embedded(`/v1/accounts/${id}/external_accounts`, []),
    future_requirements: requirementsOf([]),
    metadata: mergeMetadata({}, params.metadata),
    payouts_enabled: false,
    requirements: requirementsOf(
      params.business_type === undefined ? ['business_type', ...DUE_AT_START] : DUE_AT_START,
    ),
    settings: settingsOf(params.settings),
    tos_acceptance: { date: null, ip: null, user_agent: null },
    type: typeOf(controller),
  };
  world.accounts.add(account);
  world.books.set(id, createBook(world.index, id));
  for (const name of requested) world.capabilities.set(`${id} ${name}`, { requested_at: world.now });
  saveSettings(world, bookOf(world, id), balanceSettingsOf(world, id, params.settings?.payouts, schedule), true);
  if (bank) {
    addBank(world, id, bank, true);
    settleRequirement(world, id, 'external_account');
  }
  return accountNamed(world, id);
}

const SCHEDULE = 'settings[payouts][schedule]';

/** The balance settings after a change through an account's `settings.payouts`. */
function balanceSettingsOf(
  world: World,
  id: string,
  given: Stripe.AccountUpdateParams.Settings.Payouts | undefined,
  schedule: Stripe.BalanceSettings.Payments.Payouts.Schedule | undefined,
): Stripe.BalanceSettings {
  const { payments } = balanceSettings(world, bookOf(world, id));
  const descriptor = given?.statement_descriptor;
  return {
    object: 'balance_settings',
    payments: {
      ...payments,
      debit_negative_balances: given?.debit_negative_balances ?? payments.debit_negative_balances,
      payouts: {
        ...payments.payouts!,
        schedule: schedule ?? payments.payouts!.schedule,
        statement_descriptor:
          descriptor === undefined ? payments.payouts!.statement_descriptor : textOrNull(descriptor),
      },
    },
  };
}

/** The old name of such an account. One with the full dashboard whose losses are the application's has none. */
function typeOf({ stripe_dashboard: dashboard, losses }: Stripe.Account.Controller): Stripe.Account['type'] {
  if (dashboard?.type === 'express') return 'express';
  return dashboard?.type === 'full' && losses?.payments === 'stripe' ? 'standard' : 'none';
}

function controllerOf(given: Stripe.AccountCreateParams['controller']): Stripe.Account.Controller {
  const fees = given?.fees?.payer;
  const losses = given?.losses?.payments;
  const dashboard = given?.stripe_dashboard?.type ?? 'express';
  const ours = fees === 'application' && losses === 'application';
  if (!ours && !(fees === 'account' && losses === 'stripe' && dashboard === 'full')) {
    throw unsupported(
      'controller',
      "accounts other than those whose fees and losses are the application's (controller.fees.payer and " +
        'controller.losses.payments = application), and accounts with the full Stripe Dashboard whose fees are their own and ' +
        "whose losses are Stripe's (account, stripe, full)",
    );
  }
  return {
    type: 'application',
    is_controller: true,
    fees: { payer: fees },
    losses: { payments: losses },
    requirement_collection: 'stripe',
    stripe_dashboard: { type: dashboard },
  };
}

function profileOf(
  before: Stripe.Account.BusinessProfile | null | undefined,
  given: Stripe.AccountUpdateParams['business_profile'],
): Stripe.Account.BusinessProfile {
  return {
    mcc: given?.mcc ?? before?.mcc ?? null,
    minority_owned_business_designation: null,
    name: given?.name ?? before?.name ?? null,
    product_description: given?.product_description ?? before?.product_description ?? null,
    specified_commercial_transactions_act_url: null,
    support_address: null,
    support_email: given?.support_email ?? before?.support_email ?? null,
    support_phone: given?.support_phone ?? before?.support_phone ?? null,
    support_url: null,
    url: given?.url ?? before?.url ?? null,
  };
}

function settingsOf(given: Stripe.AccountCreateParams['settings']): Stripe.Account.Settings {
  return {
    branding: { icon: null, logo: null, primary_color: null, secondary_color: null },
    card_payments: {
      decline_on: { avs_failure: false, cvc_failure: false },
      statement_descriptor_prefix: null,
      statement_descriptor_prefix_kana: null,
      statement_descriptor_prefix_kanji: null,
    },
    dashboard: { display_name: null, timezone: 'Europe/Stockholm' },
    payments: {
      statement_descriptor: null,
      statement_descriptor_kana: null,
      statement_descriptor_kanji: null,
      statement_descriptor_prefix_kana: null,
      statement_descriptor_prefix_kanji: null,
    },
    payouts: {
      debit_negative_balances: given?.payouts?.debit_negative_balances ?? false,
      schedule: { delay_days: 7, interval: 'daily' },
      statement_descriptor: textOrNull(given?.payouts?.statement_descriptor),
    },
    sepa_debit_payments: {},
  };
}

export const retrieveAccount = (world: World, book: Book, _: ExpandOnly, [id = '']: string[]) =>
  visibleAccount(world, book, id);

/** `GET /v1/account`: the account of the request. The platform's own is not an object here. */
export function retrieveCurrentAccount(world: World, book: Book, _: ExpandOnly): Stripe.Account {
  if (isPlatform(world, book)) {
    throw unsupported('', "the platform's own account as an object; pass Stripe-Account");
  }
  return accountNamed(world, book.account);
}

export const listAccounts = (world: World, _: Book, params: Stripe.AccountListParams) =>
  page(
    world.accounts,
    '/v1/accounts',
    params,
    (account) => !world.revoked.has(account.id) && inRange(account.created ?? 0, params.created),
  );

export function updateAccount(
  world: World,
  _: Book,
  params: Stripe.AccountUpdateParams,
  [id = '']: string[],
): Stripe.Account {
  const before = accountNamed(world, id);
  const payouts = params.settings?.payouts;
  const schedule = payouts?.schedule === undefined ? undefined : scheduleOf(payouts.schedule, SCHEDULE);
  const due = before.requirements?.currently_due ?? [];
  const told = params.business_type !== undefined && due.includes('business_type');
  const after = requestCapabilities(world, before, params.capabilities ?? {}, {
    email: params.email ?? before.email,
    business_type: params.business_type ?? before.business_type ?? null,
    business_profile: profileOf(before.business_profile, params.business_profile),
    metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
    ...(told ? { requirements: requirementsOf(due.filter((field) => field !== 'business_type')) } : {}),
  });
  if (payouts === undefined) return after;
  saveSettings(world, bookOf(world, id), balanceSettingsOf(world, id, payouts, schedule));
  return accountNamed(world, id);
}
