import type Stripe from 'stripe';
import { budgeted } from './call-budget.ts';
import { hours } from './clock.ts';
import { messageOf } from './errors.ts';

/** Stripe's publishable client, made on first use: the SDK is a tenth of a second of cold start. */
export type StripeClient = Stripe;

/** Stripe keeps an idempotency key at least 24 h; an hour is left for clocks and slow calls. Later than this, list and match metadata first. */
export const keyRetentionMs = hours(23);

export function keyStillKept(firstUsed: Date, now: Date): boolean {
  return now.getTime() - firstUsed.getTime() < keyRetentionMs;
}

/** The longest one call may take is this many milliseconds for each of its tries. */
export const stripePatience = { timeoutMs: 20_000, retries: 2 } as const;

export async function createStripeClient(apiBase: string, secretKey: string): Promise<StripeClient> {
  const { default: StripeSdk } = await import('stripe');
  const base = new URL(apiBase);
  return new StripeSdk(secretKey, {
    protocol: base.protocol === 'http:' ? 'http' : 'https',
    host: base.hostname,
    port: base.port || (base.protocol === 'http:' ? '80' : '443'),
    timeout: stripePatience.timeoutMs,
    // The same idempotency key goes with every retry, so a retried call cannot do the thing twice.
    maxNetworkRetries: stripePatience.retries,
    telemetry: false,
    httpClient: budgeted(StripeSdk.createNodeHttpClient()),
    appInfo: { name: 'inner-journey-payments' },
  });
}

/** The API version that the SDK speaks and its types describe. */
export async function sdkApiVersion(): Promise<string> {
  const { default: StripeSdk } = await import('stripe');
  return StripeSdk.API_VERSION;
}

/**
 * What a failed call to Stripe tells us. `refused` is definite: the thing did not happen and will not under this key.
 * `unknown` may have happened: only asking again tells (design, promise 6). `busy` did not start: try later.
 */
export type StripeFailure =
  | { kind: 'refused'; code: string; message: string; declineCode?: string; param?: string; status: number }
  | { kind: 'busy'; code: string; message: string }
  | { kind: 'unknown'; code: string; message: string };

interface StripeErrorShape {
  type?: unknown;
  rawType?: unknown;
  code?: unknown;
  decline_code?: unknown;
  param?: unknown;
  statusCode?: unknown;
}

/** Sorts anything thrown by the Stripe SDK; see the error table of Stripe's API reference. */
export function classifyStripeError(error: unknown): StripeFailure {
  const shape: StripeErrorShape = typeof error === 'object' && error !== null ? error : {};
  const message = messageOf(error);
  const type = typeof shape.type === 'string' ? shape.type : 'unrecognised';
  const code = typeof shape.code === 'string' ? shape.code : type;
  const status = typeof shape.statusCode === 'number' ? shape.statusCode : 0;
  if (status === 429 || code === 'lock_timeout' || code === 'idempotency_key_in_use')
    return { kind: 'busy', code, message };
  if (status >= 400 && status < 500) {
    const declineCode = typeof shape.decline_code === 'string' ? { declineCode: shape.decline_code } : {};
    const param = typeof shape.param === 'string' ? { param: shape.param } : {};
    return { kind: 'refused', code, message, status, ...declineCode, ...param };
  }
  return { kind: 'unknown', code, message };
}

/**
 * Asks Stripe under an idempotency key; when the answer is unclear, looks for what may have come of it. A saved 500 is
 * replayed for as long as the key is kept, so asking again would never tell. Looking moves nothing.
 */
export async function askOrFind<T>(ask: () => Promise<T>, find: () => Promise<T | undefined>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (classifyStripeError(error).kind !== 'unknown') throw error;
    const found = await find().catch(() => undefined);
    if (found === undefined) throw error;
    return found;
  }
}

/** The id of something Stripe gives either as an id or, expanded, as the object. */
export function idOf(reference: string | { id: string }): string;
export function idOf(reference: string | { id: string } | null | undefined): string | undefined;
export function idOf(reference: string | { id: string } | null | undefined): string | undefined {
  if (reference === null || reference === undefined) return undefined;
  return typeof reference === 'string' ? reference : reference.id;
}

/** The object of an expanded reference; undefined where Stripe gave null or only the id. */
export function expanded<T extends { id: string }>(reference: string | T | null | undefined): T | undefined {
  return typeof reference === 'object' && reference !== null ? reference : undefined;
}
