/** What an account must still tell, and what follows when it has told everything or is restricted. */
import type Stripe from 'stripe';
import type { World } from '../core/world.ts';
import { requirementsOf, saveAccount } from './account-state.ts';

type Status = 'active' | 'inactive' | 'pending';

/** Every requested capability with this status. */
export const withStatus = (account: Stripe.Account, status: Status): Stripe.Account.Capabilities =>
  Object.fromEntries(Object.keys(account.capabilities ?? {}).map((name) => [name, status]));

/** Whether capabilities like these let an account take charges. */
export const mayCharge = (world: World, capabilities: Stripe.Account.Capabilities): boolean =>
  capabilities.card_payments === 'active' ||
  (capabilities.transfers === 'active' && world.switches.chargesEnabledWithoutCardPayments);

export const isRejected = (account: Stripe.Account): boolean =>
  account.requirements?.disabled_reason?.startsWith('rejected.') === true;

/** Everything was told and found good: what was requested is active. */
export function enableAccount(
  world: World,
  account: Stripe.Account,
  more: Partial<Stripe.Account> = {},
): Stripe.Account {
  const capabilities = withStatus(account, 'active');
  return saveAccount(world, account, {
    ...more,
    capabilities,
    charges_enabled: mayCharge(world, capabilities),
    payouts_enabled: true,
    requirements: requirementsOf([]),
  });
}

/** Money may not move: for what is due, or for a reason of Stripe's or of the platform's. */
export function disableAccount(
  world: World,
  account: Stripe.Account,
  why: { due?: string[]; reason?: Stripe.Account.Requirements.DisabledReason | null; payouts?: boolean },
): Stripe.Account {
  const requirements = requirementsOf(why.due ?? account.requirements?.currently_due ?? []);
  return saveAccount(world, account, {
    capabilities: withStatus(account, 'inactive'),
    charges_enabled: false,
    payouts_enabled: why.payouts === true && account.payouts_enabled === true,
    requirements: { ...requirements, disabled_reason: why.reason ?? requirements.disabled_reason ?? 'other' },
  });
}

/** A field has been given over the API. The account is enabled by the onboarding form, which gives all of them. */
export function settleRequirement(world: World, id: string, field: string): void {
  const account = world.accounts.get(id)!;
  const due = account.requirements?.currently_due ?? [];
  if (!due.includes(field)) return;
  const left = requirementsOf(due.filter((each) => each !== field));
  const reason = left.disabled_reason ?? account.requirements?.disabled_reason ?? null;
  saveAccount(world, account, { requirements: { ...left, disabled_reason: reason } });
}

/** Fields are due by a deadline; until then the account works on. An empty list takes that back. */
export function announceDue(world: World, account: Stripe.Account, due: string[], deadline: number | null): void {
  const requirements = { ...requirementsOf([]), currently_due: due, eventually_due: due, current_deadline: deadline };
  saveAccount(world, account, { requirements });
  if (deadline === null || due.length === 0) return;
  world.timers.add({ at: deadline, kind: 'account_deadline', account: account.id, id: String(deadline) });
}

/** What was due by then is past due, unless it was given or another deadline set. */
export function deadlinePasses(world: World, id: string, deadline: number): void {
  const account = world.accounts.get(id);
  if (account?.requirements?.current_deadline !== deadline) return;
  disableAccount(world, account, {});
}
