/** What an account may do: listed, requested and given up one by one. */
import type Stripe from 'stripe';
import { missing } from '../core/errors.ts';
import { embedded } from '../core/list.ts';
import type { ExpandOnly } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import {
  CAPABILITIES,
  accountNamed,
  capabilityOf,
  requireCapabilities,
  saveAccount,
  visibleAccount,
} from './account-state.ts';
import type { CapabilityName } from './account-state.ts';
import { isRejected, mayCharge } from './requirements.ts';

function nameOf(text: string): CapabilityName {
  const name = CAPABILITIES.find((each) => each === text);
  if (!name) throw missing('capability', text, 'capability', 404);
  return name;
}

export function retrieveCapability(
  world: World,
  book: Book,
  _: ExpandOnly,
  [account = '', name = '']: string[],
): Stripe.Capability {
  return capabilityOf(world, visibleAccount(world, book, account), nameOf(name));
}

export function listCapabilities(
  world: World,
  book: Book,
  _: ExpandOnly,
  [id = '']: string[],
): Stripe.ApiList<Stripe.Capability> {
  const account = visibleAccount(world, book, id);
  const requested = CAPABILITIES.filter((name) => account.capabilities?.[name] !== undefined);
  return embedded(
    `/v1/accounts/${id}/capabilities`,
    requested.map((name) => capabilityOf(world, account, name)),
  );
}

export function updateCapability(
  world: World,
  _: Book,
  params: Stripe.AccountUpdateCapabilityParams,
  [account = '', name = '']: string[],
): Stripe.Capability {
  const known = nameOf(name);
  const before = accountNamed(world, account);
  if (params.requested === undefined) return capabilityOf(world, before, known);
  const after = requestCapabilities(world, before, { [known]: { requested: params.requested } });
  return capabilityOf(world, after, known);
}

/** Requests capabilities and gives them up. What an enabled account requests is active at once. */
export function requestCapabilities(
  world: World,
  before: Stripe.Account,
  wanted: Partial<Record<CapabilityName, { requested?: boolean }>>,
  patch: Partial<Stripe.Account> = {},
): Stripe.Account {
  const capabilities = { ...before.capabilities };
  for (const name of CAPABILITIES) {
    const requested = wanted[name]?.requested;
    if (requested === true && capabilities[name] === undefined) {
      const enabled = before.details_submitted === true && before.payouts_enabled === true && !isRejected(before);
      capabilities[name] = enabled ? 'active' : 'inactive';
      world.capabilities.set(`${before.id} ${name}`, { requested_at: world.now });
    } else if (requested === false && capabilities[name] !== undefined) {
      delete capabilities[name];
      world.capabilities.delete(`${before.id} ${name}`);
    }
  }
  requireCapabilities(
    world,
    CAPABILITIES.filter((name) => capabilities[name] !== undefined),
  );
  const charges = before.details_submitted === true ? { charges_enabled: mayCharge(world, capabilities) } : {};
  return saveAccount(world, before, { ...patch, capabilities, ...charges });
}
