import { answerAsFortnox } from './api.ts';
import { control } from './control.ts';
import { takeFault, underFault } from './faults.ts';
import { FORTNOX_EMULATOR_DEFAULTS, freshState } from './state.ts';
import type { SeedOptions } from './state.ts';
import type { CoreReply, CoreRequest, State } from './types.ts';

const REQUESTS_KEPT = 1000;

export type FortnoxCoreOptions = Partial<SeedOptions> & {
  /** Unix milliseconds. The control API's clock is added to it. */
  readonly clock: () => number;
};

/** The whole emulator without a socket: one request in, one reply out, at once. */
export type FortnoxCore = {
  handle(request: CoreRequest): CoreReply;
  /** The emulator's clock, unix milliseconds. */
  now(): number;
  /** The live state, not a copy: for looking at, from tests and simulations in the same process. */
  state(): State;
};

export function createFortnoxCore(options: FortnoxCoreOptions): FortnoxCore {
  const { clock, ...given } = options;
  const seed: SeedOptions = { ...FORTNOX_EMULATOR_DEFAULTS, ...given };
  let state = freshState(clock(), seed);

  function reset(): void {
    state = freshState(clock(), seed);
  }

  function now(): number {
    return clock() + state.clockOffsetMs;
  }

  function handle(request: CoreRequest): CoreReply {
    // A request line like "//x" is no URL; it is no route either.
    const url = URL.parse(request.url, 'http://emulator') ?? new URL('http://emulator/');
    const { method } = request;
    if (url.pathname === '/_emulator' || url.pathname.startsWith('/_emulator/')) {
      const answer = control({ state, nowMs: now(), reset }, method, url, request.body);
      return { kind: 'answer', ...answer, delayMs: 0 };
    }
    const fault = takeFault(state, method, url.pathname);
    const nowMs = now();
    const reply = underFault(fault, () => answerAsFortnox(state, request, url, nowMs));
    // The token call's body and the Authorization header stay out: a record is read by people. So do files.
    const isFile = (request.headers['content-type'] ?? '').startsWith('multipart/');
    const body = request.body === '' || isFile || url.pathname.startsWith('/oauth-v1/') ? null : request.body;
    const status = reply.kind === 'answer' ? reply.status : null;
    state.requests.push({ at: nowMs, method, url: request.url, status, fault: fault?.kind ?? null, body });
    if (state.requests.length > REQUESTS_KEPT) state.requests.shift();
    return reply;
  }

  return { handle, now, state: () => state };
}
