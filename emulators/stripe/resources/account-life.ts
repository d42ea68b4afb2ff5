/** How a connected account ends: deleted, rejected by the platform, or gone with its access. */
import type Stripe from 'stripe';
import { refused } from '../core/errors.ts';
import { emit } from '../core/events.ts';
import type { ExpandOnly } from '../core/params.ts';
import { APPLICATION, bookOf } from '../core/world.ts';
import type { Book, World } from '../core/world.ts';
import { accountNamed } from './account-state.ts';
import { disableAccount, enableAccount, isRejected } from './requirements.ts';

export function deleteAccount(world: World, _: Book, __: object, [id = '']: string[]): Stripe.DeletedAccount {
  const account = accountNamed(world, id);
  if (account.controller?.losses?.payments === 'stripe') {
    throw refused('This account cannot be deleted: the platform is not liable for its negative balances.');
  }
  const left = [...bookOf(world, id).funds.values()].some((funds) => funds.available !== 0 || funds.pending !== 0);
  if (left) throw refused('This account cannot be deleted: its balance is not zero.', 'account_has_balance');
  world.revoked.add(id);
  return { id, object: 'account', deleted: true };
}

type Reason = Stripe.Account.Requirements.DisabledReason;

const disabledReason = (given: string): Reason =>
  given.startsWith('fraud')
    ? 'rejected.platform_fraud'
    : given === 'terms_of_service'
      ? 'rejected.platform_terms_of_service'
      : 'rejected.platform_other';

export function rejectAccount(
  world: World,
  _: Book,
  params: Stripe.AccountRejectParams,
  [id = '']: string[],
): Stripe.Account {
  const account = accountNamed(world, id);
  if (account.controller?.losses?.payments === 'stripe') {
    throw refused('Only accounts for whose negative balances your platform is liable can be rejected.');
  }
  if (isRejected(account)) throw refused('This account has already been rejected.');
  const payouts = params.payouts_action === 'none';
  return disableAccount(world, account, { reason: disabledReason(params.reason), payouts });
}

export function unrejectAccount(world: World, _: Book, __: ExpandOnly, [id = '']: string[]): Stripe.Account {
  const account = accountNamed(world, id);
  if (account.requirements?.disabled_reason?.startsWith('rejected.platform_') !== true) {
    throw refused('Only accounts that were rejected by your platform can be unrejected.');
  }
  const due = account.requirements.currently_due ?? [];
  return due.length > 0
    ? disableAccount(world, account, { due, reason: 'requirements.past_due' })
    : enableAccount(world, account);
}

/**
 * The account takes the platform's access away. Stripe lets accounts with the full Stripe Dashboard do so; from then on
 * it answers as if the account were not there.
 */
export function deauthorize(world: World, id: string): void {
  accountNamed(world, id);
  const application = { id: APPLICATION, object: 'application', name: 'Inner Journey' } satisfies Stripe.Application;
  emit(world, bookOf(world, id), 'account.application.deauthorized', application);
  world.revoked.add(id);
}
