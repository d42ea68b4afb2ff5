/** Ways into an account for its owner: the Express dashboard's login link, and sessions of embedded components. */
import type Stripe from 'stripe';
import { badParam, refused } from '../core/errors.ts';
import { bool, obj, required } from '../core/params.ts';
import type { ExpandOnly, Kind } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import { accountNamed, requireAccount } from './account-state.ts';

type Components = Stripe.AccountSession.Components;

const PAYOUTS = [
  'disable_stripe_user_authentication',
  'edit_payout_schedule',
  'external_account_collection',
  'instant_payouts',
  'standard_payouts',
] as const;
const PAYMENTS = [
  'capture_payments',
  'destination_on_behalf_of_charge_management',
  'dispute_management',
  'refund_management',
  'smart_disputes_management',
] as const;
const IDENTITY = ['disable_stripe_user_authentication', 'external_account_collection'] as const;

/** Every component of the SDK's type with its features. */
const COMPONENTS: { readonly [K in keyof Components]: readonly (keyof Components[K]['features'])[] } = {
  account_management: IDENTITY,
  account_onboarding: IDENTITY,
  balance_report: [],
  balances: PAYOUTS,
  disputes_list: PAYMENTS,
  documents: [],
  financial_account: [...IDENTITY, 'send_money', 'transfer_balance'],
  financial_account_transactions: ['card_spend_dispute_management'],
  instant_payouts_promotion: [...IDENTITY, 'instant_payouts'],
  issuing_card: [
    'card_management',
    'card_spend_dispute_management',
    'cardholder_management',
    'spend_control_management',
  ],
  issuing_cards_list: [
    'card_management',
    'card_spend_dispute_management',
    'cardholder_management',
    'disable_stripe_user_authentication',
    'spend_control_management',
  ],
  notification_banner: IDENTITY,
  payment_details: PAYMENTS,
  payment_disputes: [
    'destination_on_behalf_of_charge_management',
    'dispute_management',
    'refund_management',
    'smart_disputes_management',
  ],
  payment_method_settings: ['disable_stripe_user_authentication'],
  payments: PAYMENTS,
  payout_details: [],
  payout_reconciliation_report: [],
  payouts: PAYOUTS,
  payouts_list: [],
  reporting_chart: [],
  tax_registrations: [],
  tax_settings: [],
  terminal_hardware_orders: [],
  terminal_hardware_shop: [],
};
/** Features that are off unless they are asked for; the others are on in an enabled component. */
const OFF = ['destination_on_behalf_of_charge_management', 'disable_stripe_user_authentication'];

const flags = (names: readonly string[]): Record<string, Kind> => Object.fromEntries(names.map((name) => [name, bool]));

/** The parameter `components`: each component with `enabled` and its own features. */
export const componentsKind: Kind = obj<Record<string, unknown>>(
  Object.fromEntries(
    Object.entries(COMPONENTS).map(([name, features]) => [
      name,
      obj<Record<string, unknown>>({
        enabled: required(bool),
        ...(features.length > 0 ? { features: obj<Record<string, unknown>>(flags(features)) } : {}),
      }),
    ]),
  ),
);

const LIFETIME = 30 * 60;

export function createAccountSession(
  world: World,
  _: Book,
  params: Stripe.AccountSessionCreateParams,
): Stripe.AccountSession {
  const account = requireAccount(world, params.account, 'account');
  const given = params.components as Record<string, { enabled: boolean; features?: Record<string, boolean> }>;
  if (!Object.values(given).some((each) => each.enabled)) {
    throw badParam('components', 'You must enable at least one component.');
  }
  const components = Object.fromEntries(
    Object.entries(COMPONENTS).map(([name, features]) => {
      const { enabled = false, features: wanted = {} } = given[name] ?? {};
      const shown = features.map((each: string) => [each, wanted[each] ?? (enabled && !OFF.includes(each))]);
      return [name, { enabled, features: Object.fromEntries(shown) as Record<string, boolean> }];
    }),
  );
  return {
    object: 'account_session',
    account: account.id,
    client_secret: `${world.ids.next('accs_secret', 40)}`,
    // The names are those of COMPONENTS, which the compiler holds against this type.
    components: components as unknown as Components,
    expires_at: world.now + LIFETIME,
    livemode: false,
  };
}

export function createLoginLink(world: World, _: Book, __: ExpandOnly, [id = '']: string[]): Stripe.LoginLink {
  const account = accountNamed(world, id);
  if (account.controller?.stripe_dashboard?.type !== 'express') {
    throw refused(`Cannot create a login link for ${id}: the account does not use the Express Dashboard.`);
  }
  if (account.details_submitted !== true) {
    throw refused('Cannot create a login link for an account that has not completed onboarding.');
  }
  const token = world.ids.next('lgn', 32);
  world.connect.loginLinks.set(token, {
    account: id,
    expiresAt: world.now + world.switches.accountLinkLifetimeSeconds,
  });
  return { object: 'login_link', created: world.now, url: `${world.publicUrl}/_hosted/express/${token}` };
}

/** Opens a login link, once: the account it leads into, or nothing. */
export function openLoginLink(world: World, token: string): Stripe.Account | undefined {
  const link = world.connect.loginLinks.get(token);
  world.connect.loginLinks.delete(token);
  if (!link || link.expiresAt <= world.now || world.revoked.has(link.account)) return undefined;
  return world.accounts.get(link.account);
}
