/** What a test does to a connected account that only Stripe, a bank or the account's owner does in life. */
import type Stripe from 'stripe';
import type { World } from '../core/world.ts';
import { deauthorize } from '../resources/account-life.ts';
import { accountNamed, saveAccount } from '../resources/account-state.ts';
import { bankErrored, banksOf, changeBank } from '../resources/banks.ts';
import { FAILURE_MESSAGES } from '../resources/payouts.ts';
import { announceDue, disableAccount, enableAccount, mayCharge } from '../resources/requirements.ts';

/** The fields of the order, named as Stripe's account names them. */
export const ACCOUNT_FIELDS = [
  'requirements',
  'disabled_reason',
  'current_deadline',
  'capabilities',
  'payouts_enabled',
  'payout_failure_code',
  'errored',
  'enable',
  'deauthorize',
] as const;

type Order = Partial<Record<(typeof ACCOUNT_FIELDS)[number], unknown>>;
type Reason = NonNullable<Stripe.Account.Requirements.DisabledReason>;

/** Each of the SDK's reasons, so that a wrong one is refused. */
const REASONS: Readonly<Record<Reason, true>> = {
  'action_required.requested_capabilities': true,
  listed: true,
  other: true,
  platform_paused: true,
  'rejected.fraud': true,
  'rejected.incomplete_verification': true,
  'rejected.listed': true,
  'rejected.other': true,
  'rejected.platform_fraud': true,
  'rejected.platform_other': true,
  'rejected.platform_terms_of_service': true,
  'rejected.terms_of_service': true,
  'requirements.past_due': true,
  'requirements.pending_verification': true,
  under_review: true,
};
const STATUSES = ['active', 'inactive', 'pending'];

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is wrong with an order, or nothing. */
function problem(order: Order): string | undefined {
  const { requirements: due, disabled_reason: reason, capabilities, payout_failure_code: code } = order;
  if (due !== undefined && !(Array.isArray(due) && due.every((field) => typeof field === 'string')))
    return `'requirements' is a list of fields that are due, such as individual.verification.document.`;
  if (reason !== undefined && !(typeof reason === 'string' && Object.hasOwn(REASONS, reason)))
    return `'disabled_reason' is one of: ${Object.keys(REASONS).join(', ')}.`;
  if (
    capabilities !== undefined &&
    !(isMap(capabilities) && Object.values(capabilities).every((status) => STATUSES.includes(String(status))))
  )
    return `'capabilities' maps names of requested capabilities to ${STATUSES.join(', ')}.`;
  if (code !== undefined && code !== null && !(typeof code === 'string' && Object.hasOwn(FAILURE_MESSAGES, code)))
    return `'payout_failure_code' is null or one of: ${Object.keys(FAILURE_MESSAGES).join(', ')}.`;
  if (order.current_deadline !== undefined && !Number.isInteger(order.current_deadline))
    return `'current_deadline' is in Unix seconds.`;
  for (const name of ['payouts_enabled', 'errored', 'enable', 'deauthorize'] as const)
    if (order[name] !== undefined && typeof order[name] !== 'boolean') return `'${name}' is true or false.`;
  return undefined;
}

/**
 * Changes the account as ordered and tells the Connect endpoints, as Stripe would.
 * @returns the account, or a text that says what is wrong with the order; then nothing was changed.
 */
export function changeAccount(world: World, id: string, order: Order): Stripe.Account | string {
  const wrong = problem(order);
  if (wrong !== undefined) return wrong;
  const account = accountNamed(world, id);
  const capabilities = order.capabilities as Stripe.Account.Capabilities | undefined;
  const unknown = Object.keys(capabilities ?? {}).filter((name) => !Object.hasOwn(account.capabilities ?? {}, name));
  if (unknown.length > 0) return `The account has not requested the capability ${unknown.join(', ')}.`;
  if (order.payout_failure_code !== undefined) failPayouts(world, id, order.payout_failure_code as string | null);
  if (order.errored === true) for (const bank of banksOf(world, id)) bankErrored(world, id, bank.id);
  if (order.enable === true) enableAccount(world, account);
  const due = order.requirements as string[] | undefined;
  const reason = order.disabled_reason as Reason | undefined;
  if (reason !== undefined || (due !== undefined && due.length > 0 && order.current_deadline === undefined)) {
    disableAccount(world, account, { ...(due ? { due } : {}), ...(reason ? { reason } : {}) });
  } else if (due !== undefined) {
    announceDue(world, account, due, (order.current_deadline as number | undefined) ?? null);
  }
  const now = accountNamed(world, id);
  if (capabilities || order.payouts_enabled !== undefined) {
    const next = { ...now.capabilities, ...capabilities };
    saveAccount(world, now, {
      capabilities: next,
      charges_enabled: capabilities ? mayCharge(world, next) : now.charges_enabled === true,
      payouts_enabled: (order.payouts_enabled as boolean | undefined) ?? now.payouts_enabled === true,
    });
  }
  const after = accountNamed(world, id);
  if (order.deauthorize === true) deauthorize(world, id);
  return after;
}

/** Payouts to the account's bank accounts fail with this code from now on; null mends them. */
function failPayouts(world: World, id: string, code: string | null): void {
  for (const bank of banksOf(world, id)) {
    if (code !== null) {
      world.failingBanks.set(bank.id, code);
      continue;
    }
    world.failingBanks.delete(bank.id);
    if (bank.status === 'errored') changeBank(world, id, bank, { status: 'new' });
  }
}
