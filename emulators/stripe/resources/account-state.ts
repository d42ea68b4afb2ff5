/** A connected account as it is kept: found by its id, changed with the events that tell of it. */
import type Stripe from 'stripe';
import { StripeFailure, badParam, missing } from '../core/errors.ts';
import { emit, emitChange } from '../core/events.ts';
import { isPlatform } from '../core/world.ts';
import type { Book, World } from '../core/world.ts';

export const CAPABILITIES = ['transfers', 'card_payments'] as const;
export type CapabilityName = (typeof CAPABILITIES)[number];

export function requirementsOf(due: string[], verifying: string[] = []): Stripe.Account.Requirements {
  return {
    alternatives: [],
    current_deadline: null,
    currently_due: due,
    disabled_reason:
      due.length > 0 ? 'requirements.past_due' : verifying.length > 0 ? 'requirements.pending_verification' : null,
    errors: [],
    eventually_due: due,
    past_due: due,
    pending_verification: verifying,
  };
}

const noAccess = (id: string) =>
  new StripeFailure(
    403,
    {
      type: 'invalid_request_error',
      code: 'account_invalid',
      message:
        `The provided key does not have access to account '${id}' (or that account does not exist). ` +
        'Application access may have been revoked.',
    },
    true,
  );

/** The account, or the refusal Stripe gives for an account that is not the platform's. */
export function accountNamed(world: World, id: string): Stripe.Account {
  const account = world.accounts.get(id);
  if (account && !world.revoked.has(id)) return account;
  throw noAccess(id);
}

/** The account of a path, for the platform or for itself: a connected account sees no other. */
export function visibleAccount(world: World, book: Book, id: string): Stripe.Account {
  if (!isPlatform(world, book) && book.account !== id) throw noAccess(id);
  return accountNamed(world, id);
}

export function requireAccount(world: World, id: string, param: string): Stripe.Account {
  const account = world.accounts.get(id);
  if (!account || world.revoked.has(id)) throw missing('account', id, param, 400);
  return account;
}

export function requireCapabilities(world: World, requested: readonly CapabilityName[]): void {
  if (
    world.switches.transfersRequireCardPayments &&
    requested.includes('transfers') &&
    !requested.includes('card_payments')
  ) {
    throw badParam(
      'capabilities',
      'The `transfers` capability cannot be requested without the `card_payments` capability in this country.',
    );
  }
}

/** Stores a change of an account and tells the Connect endpoints: of its capabilities, then of itself. */
export function saveAccount(world: World, before: Stripe.Account, patch: Partial<Stripe.Account>): Stripe.Account {
  const after = world.accounts.update(before.id, patch);
  const book = world.books.get(before.id);
  if (!book) return after;
  for (const name of CAPABILITIES) {
    const status = after.capabilities?.[name];
    if (status !== undefined && status !== before.capabilities?.[name]) {
      emit(world, book, 'capability.updated', capabilityOf(world, after, name), {
        status: before.capabilities?.[name] ?? null,
      });
    }
  }
  emitChange(world, book, 'account.updated', before, after);
  return after;
}

export function capabilityOf(world: World, account: Stripe.Account, name: CapabilityName): Stripe.Capability {
  const due = account.requirements?.currently_due ?? [];
  const requirements = {
    alternatives: [],
    current_deadline: null,
    currently_due: due,
    disabled_reason: due.length > 0 ? ('requirements.fields_needed' as const) : null,
    errors: [],
    eventually_due: due,
    past_due: due,
    pending_verification: account.requirements?.pending_verification ?? [],
  };
  return {
    id: name,
    object: 'capability',
    account: account.id,
    future_requirements: {
      ...requirements,
      currently_due: [],
      eventually_due: [],
      past_due: [],
      pending_verification: [],
      disabled_reason: null,
    },
    requested: account.capabilities?.[name] !== undefined,
    requested_at: world.capabilities.get(`${account.id} ${name}`)?.requested_at ?? null,
    requirements,
    status: account.capabilities?.[name] ?? 'unrequested',
  };
}
