/** What a trigger makes its objects with: requests to the emulator's own API, with a secret key. */
import type { StripeCore } from '../core/core.ts';

export interface TriggerTools {
  readonly core: StripeCore;
  /** What the caller wants otherwise, by the trigger's own choice of names: usually merged into its main request. */
  readonly overrides: Readonly<Record<string, unknown>>;
  /** A POST with form parameters. Throws an `Untriggered` when it is refused, unless `declines` says that it may be. */
  post(path: string, params?: object, options?: { account?: string; declines?: boolean }): Answer;
  get(path: string, options?: { account?: string }): Answer;
  /** Lets time pass. */
  advance(seconds: number): void;
}

export type Answer = Readonly<Record<string, unknown>> & { readonly id: string };
export type Trigger = (tools: TriggerTools) => void;

/** A request of a trigger was refused, or there is no such trigger. */
export class Untriggered extends Error {}

export function triggerTools(core: StripeCore, overrides: Readonly<Record<string, unknown>>): TriggerTools {
  const send = (method: string, path: string, body: string, account: string | undefined, declines = false): Answer => {
    const headers = { authorization: 'Bearer sk_test_trigger', 'stripe-account': account };
    const reply = core.handle({ method, path, headers, body });
    if (reply.transport.kind !== 'reply') throw new Untriggered(`A fault struck ${method} ${path}.`);
    if (reply.status >= 400 && !(declines && reply.status === 402)) {
      const { error } = reply.body as { error?: { message?: string } };
      throw new Untriggered(`${method} ${path} was refused: ${error?.message ?? reply.status}`);
    }
    return reply.body as Answer;
  };
  return {
    core,
    overrides,
    post: (path, params = {}, options = {}) =>
      send('POST', path, encodeForm(params), options.account, options.declines),
    get: (path, options = {}) => send('GET', path, '', options.account),
    advance: (seconds) => void core.advance(seconds),
  };
}

/** Nested objects and arrays as Stripe's form encoding has them. */
export function encodeForm(params: object): string {
  const pairs: string[] = [];
  const add = (name: string, value: unknown): void => {
    if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) add(name === '' ? key : `${name}[${key}]`, item);
    } else if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(value ?? '')}`);
    }
  };
  add('', params);
  return pairs.join('&');
}
