import { z } from 'zod';
import { FortnoxError } from './errors.ts';

/** An HTTP reply as text: Fortnox's content types cannot be trusted (JSON errors come as text/html). */
export type RawReply = { readonly status: number; readonly retryAfter: string | undefined; readonly text: string };

/** The JSON in a text, or undefined when it is none. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function lowerKeys(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toLowerCase(), inner as unknown]));
}

/** Fortnox's error envelope in either casing, whatever the content type; null when there is none. */
export function errorInformation(text: string): { code?: number; message: string } | null {
  const wrap = lowerKeys(jsonIn(text));
  if (typeof wrap.errorinformation !== 'object' || wrap.errorinformation === null) return null;
  const inner = lowerKeys(wrap.errorinformation);
  // Codes have been seen as numbers and as texts of digits.
  const code = Number(inner.code);
  const message = typeof inner.message === 'string' ? inner.message : 'no message';
  return Number.isInteger(code) && code > 0 ? { code, message } : { message };
}

/** `Retry-After` in seconds or as a date; undefined when it is neither. */
export function retryAfterMs(header: string | undefined, now: Date): number | undefined {
  if (header === undefined || header.trim() === '') return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}

/** The error in a reply that is not a success. 401 and 429 mean that nothing was done, whatever their body says. */
export function errorOf(what: string, reply: RawReply, now: Date): FortnoxError {
  const { status } = reply;
  if (status === 401) {
    return new FortnoxError(
      `${what}: Fortnox refused a fresh token. Check the consent, the licence and FORTNOX_TENANT_ID.`,
      { kind: 'unauthorized', status },
    );
  }
  if (status === 429) {
    const wait = retryAfterMs(reply.retryAfter, now);
    return new FortnoxError(`${what}: Fortnox takes no more requests just now (429). Try again in a few seconds.`, {
      kind: 'rate_limited',
      status,
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    });
  }
  const information = status >= 400 && status < 500 ? errorInformation(reply.text) : null;
  if (information === null) {
    return new FortnoxError(`${what}: Fortnox answered ${status} without saying what happened.`, {
      kind: 'unknown',
      status,
    });
  }
  const { code, message } = information;
  const numbered = code === undefined ? '' : ` (${code})`;
  return new FortnoxError(`${what}: Fortnox refused${numbered}: ${message}`, {
    kind: status === 404 ? 'not_found' : 'rejected',
    status,
    fortnoxMessage: message,
    ...(code === undefined ? {} : { code }),
  });
}

/** A success read by its schema. What does not fit (a maintenance page, say) is `unknown`: the call may have been obeyed. */
export function parsed<T>(what: string, schema: z.ZodType<T>, reply: RawReply): T {
  const value = jsonIn(reply.text);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problem = value === undefined ? instead(reply.text) : inWords(result.error.issues[0]);
  throw new FortnoxError(`${what}: Fortnox answered ${reply.status} with ${problem}.`, {
    kind: 'unknown',
    status: reply.status,
  });
}

const inWords = (issue: { path: PropertyKey[]; message: string } | undefined): string =>
  `something else than promised (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''})`;

const instead = (text: string): string =>
  text.trim() === ''
    ? 'nothing where JSON was promised'
    : `${text.trimStart().startsWith('<') ? 'a page of HTML' : 'text'} where JSON was promised`;
