/** Idempotency keys: the first answer is kept for 24 hours of the emulator's clock (30 days in v2) and given again. */
import { StripeFailure } from './errors.ts';
import type { World } from './world.ts';

export interface KeptReply {
  key: string;
  /** Method, path and account. */
  route: string;
  /** The decoded parameters, in one canonical text. */
  params: string;
  at: number;
  /** `running` while an injected delay keeps the first answer back. */
  state: 'running' | 'done';
  status: number;
  body: object;
  requestId: string;
}

const LIFETIME = 24 * 3_600;
const LIFETIME_V2 = 30 * 86_400;

const isV2 = (route: string): boolean => route.includes(' /v2/');

/** Where the answers of a route are kept: those of v2 stay longer, by themselves. */
const shelfOf = (world: World, route: string) =>
  isV2(route) ? { kept: world.connect.kept, lifetime: LIFETIME_V2 } : { kept: world.kept, lifetime: LIFETIME };

/** Whether an answer is kept: in v2 what failed is tried again. */
export const isKept = (route: string, status: number): boolean => !isV2(route) || status < 400;

/** An answer that was held back has been sent. */
export function freed(world: World, route: string, slot: string): void {
  const held = shelfOf(world, route).kept.get(slot);
  if (held) held.state = 'done';
}

export const slotOf = (world: World, key: string, account: string): string =>
  world.switches.idempotencyKeysPerAccount ? `${account} ${key}` : key;

/** The kept answer to give again; undefined when this is the first request with the key; throws when it must be refused. */
export function recall(
  world: World,
  slot: string,
  asked: { key: string; route: string; params: string },
): KeptReply | undefined {
  const shelf = shelfOf(world, asked.route);
  const kept = shelf.kept.get(slot);
  if (!kept) return undefined;
  if (world.now - kept.at >= shelf.lifetime) {
    shelf.kept.delete(slot);
    return undefined;
  }
  if (kept.route !== asked.route) {
    throw new StripeFailure(
      400,
      {
        type: 'idempotency_error',
        message:
          `Keys for idempotent requests can only be used for the same endpoint they were first used for ` +
          `('${asked.route}' vs '${kept.route}'). Try using a key other than '${asked.key}' if you meant to execute a different request.`,
      },
      true,
    );
  }
  if (kept.params !== asked.params) {
    throw new StripeFailure(
      400,
      {
        type: 'idempotency_error',
        message:
          `Keys for idempotent requests can only be used with the same parameters they were first used with. ` +
          `Try using a key other than '${asked.key}' if you meant to execute a different request.`,
      },
      true,
    );
  }
  if (kept.state === 'running') {
    throw new StripeFailure(
      409,
      {
        type: 'idempotency_error',
        code: 'idempotency_key_in_use',
        message: `There is currently another in-progress request using this Idempotent Key (${asked.key}). Please try again later.`,
      },
      true,
    );
  }
  return kept;
}

/** Keeps an answer, and forgets those whose time is over: they stand first, in the order they were kept. */
export function keep(world: World, slot: string, reply: KeptReply): void {
  const { kept, lifetime } = shelfOf(world, reply.route);
  for (const [old, { at }] of kept) {
    if (world.now - at < lifetime) break;
    kept.delete(old);
  }
  kept.set(slot, reply);
}

/** A text that is the same for the same parameters in any order. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
