import { FortnoxError } from './errors.ts';

export type Sleep = (ms: number) => Promise<void>;

/** Waits between attempts. Together longer than Fortnox's window of 5 s, so that a full window has emptied. */
const WAITS_MS = [1000, 2000, 4000];
/** A longer Retry-After is the caller's to wait for: a function must not sit and sleep. */
const LONGEST_WAIT_MS = 10_000;

/**
 * Runs `attempt` again after the failures that `again` allows, with backoff (or Fortnox's own Retry-After);
 * the last failure is thrown.
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  again: (error: FortnoxError) => boolean,
  sleep: Sleep,
): Promise<T> {
  for (const backoffMs of WAITS_MS) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof FortnoxError) || !again(error)) throw error;
      const wait = error.retryAfterMs ?? backoffMs;
      if (wait > LONGEST_WAIT_MS) throw error;
      await sleep(wait);
    }
  }
  return attempt();
}

/** What reading (or asking for a token) may repeat: it changes nothing, so a lost answer is asked for again. */
export function repeatableRead(error: FortnoxError): boolean {
  return (
    error.kind === 'rate_limited' || (error.kind === 'unknown' && (error.status === undefined || error.status >= 500))
  );
}

/** What writing may repeat: only what Fortnox turned away unread. */
export function repeatableWrite(error: FortnoxError): boolean {
  return error.kind === 'rate_limited';
}
