import type { AccessToken, State } from './types.ts';

const LIMIT = 25;
const WINDOW_MS = 5000;

/**
 * Counts a request in the sliding window of its client and tenant; false when it is one too many.
 * A refused request is not counted, so a client that keeps asking is let in as the window slides.
 */
export function admit(state: State, token: AccessToken, nowMs: number): boolean {
  const key = `${token.clientId} ${token.tenantId}`;
  // A clock set back leaves times in the future; they say nothing about the last five seconds.
  const recent = (state.window[key] ?? []).filter((at) => at > nowMs - WINDOW_MS && at <= nowMs);
  const admitted = recent.length < LIMIT;
  state.window[key] = admitted ? [...recent, nowMs] : recent;
  return admitted;
}
