/**
 * The emulator without a network: a request goes in, an answer comes out, and time is what the caller says it is. No
 * timers and no sockets, so that weeks of trade can be played in one process.
 */
import { identify } from './auth.ts';
import type { Caller } from './auth.ts';
import { failed, logUrl, noMethodTypes, safeFields, secretKeyNeeded, tooMany, unknownUrl } from './answers.ts';
import { StripeFailure, badParam, serverError } from './errors.ts';
import { expanded, requireKnownSteps } from './expand.ts';
import { REQUEST_FAULTS, takeFault } from './faults.ts';
import type { Fault } from './faults.ts';
import { decodeForm } from './form.ts';
import type { Tree } from './form.ts';
import { canonical, freed, isKept, keep, recall, slotOf } from './idempotency.ts';
import { decodeJson } from './json.ts';
import { checkParams } from './params.ts';
import { findRoute } from './routes.ts';
import type { Route } from './routes.ts';
import type { Switches } from './switches.ts';
import { payWaitingRefunds } from '../resources/refund-money.ts';
import { runTimer } from './transitions.ts';
import type { Delivery } from './webhooks.ts';
import { recordAttempt, signedPayload } from './webhooks.ts';
import { API_VERSION, createWorld } from './world.ts';
import type { Book, LoggedRequest, World } from './world.ts';

export interface CoreOptions {
  /** Unix seconds the clock starts at when no `clock` is given. */
  now?: number;
  /** Unix seconds of whoever runs the core; the emulator's clock is this plus what it was advanced by. */
  clock?: () => number;
  /** The same seed gives the same ids. */
  seed?: number;
  switches?: Partial<Switches>;
  /** Where the hosted pages are reached. */
  publicUrl?: string;
}

export interface CoreRequest {
  method: string;
  /** With its query. */
  path: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  body: string;
}

/** How the answer travels: as it is; never (the connection breaks); or after a while. */
export type Transport =
  | { kind: 'reply' }
  | { kind: 'break'; delayMs: number }
  | {
      kind: 'hang';
      delayMs: number;
      /** Call it when the answer is sent: until then its idempotency key is in use. */
      release: () => unknown;
    };

export interface CoreResponse {
  status: number;
  headers: Record<string, string>;
  body: object;
  transport: Transport;
}

export interface StripeCore {
  /** Everything the emulator knows, for reading. */
  readonly world: World;
  /** Unix seconds of the emulator's clock. */
  now(): number;
  /** Lets time pass to the clock's now: what fell due happens, in order, each at its own moment. */
  tick(): number;
  advance(seconds: number): number;
  handle(request: CoreRequest): CoreResponse;
  /** Takes the deliveries nobody has taken yet. */
  takeDeliveries(): Delivery[];
  /** Body and signature of a delivery; `atSeconds` is the receiver's clock. */
  payload(delivery: Delivery, atSeconds: number): { body: string; signature: string };
  /** What became of an attempt: a status code, or what went wrong. */
  report(deliveryId: string, result: number | string, final: boolean): void;
  /** Empties everything except webhook endpoints and switches. Ids go on where they were. */
  reset(): void;
}

const KEPT_LOG = 20_000;

export function createStripeCore(options: CoreOptions = {}): StripeCore {
  const fixed = options.now ?? 1_767_225_600;
  const clock = options.clock ?? (() => fixed);
  let offset = 0;
  const read = () => Math.floor(clock()) + offset;
  const world = createWorld({
    now: read(),
    seed: options.seed ?? 1,
    switches: options.switches ?? {},
    publicUrl: options.publicUrl ?? 'http://stripe.invalid',
  });

  const tick = (): number => {
    const until = Math.max(world.now, read());
    for (let due = world.timers.takeDue(until); due; due = world.timers.takeDue(until)) {
      world.now = Math.max(world.now, due.at);
      world.request = null;
      runTimer(world, due);
      payWaitingRefunds(world);
    }
    world.now = until;
    world.request = null;
    payWaitingRefunds(world);
    return until;
  };

  return {
    world,
    now: () => Math.max(world.now, read()),
    tick,
    advance(seconds) {
      if (!Number.isInteger(seconds) || seconds < 0)
        throw new Error(`The clock moves forward by whole seconds, not by ${seconds}.`);
      offset += seconds;
      return tick();
    },
    handle(request) {
      tick();
      return handle(world, request);
    },
    takeDeliveries: () => world.outbox.splice(0),
    payload: (delivery, atSeconds) => signedPayload(world, delivery, atSeconds),
    report: (id, result, final) => recordAttempt(world, id, result, final),
    reset() {
      const { endpoints } = world;
      const fresh = createWorld({ now: world.now, seed: 1, switches: world.switches, publicUrl: world.publicUrl });
      const connect = { ...fresh.connect, destinations: world.connect.destinations };
      Object.assign(world, { ...fresh, ids: world.ids, endpoints, connect });
    },
  };
}

function handle(world: World, request: CoreRequest): CoreResponse {
  const requestId = world.ids.next('req', 14);
  const cut = request.path.indexOf('?');
  const path = cut < 0 ? request.path : request.path.slice(0, cut);
  const query = cut < 0 ? '' : request.path.slice(cut + 1);
  const key = request.method === 'POST' ? (request.headers['idempotency-key'] ?? null) : null;
  const entry: LoggedRequest = {
    requestId,
    method: request.method,
    path,
    account: request.headers['stripe-account'] ?? request.headers['stripe-context'] ?? null,
    idempotencyKey: key,
    status: 0,
    replayed: false,
    fault: null,
    at: world.now,
  };
  world.requests.push(entry);
  if (world.requests.length > 2 * KEPT_LOG) world.requests = world.requests.slice(-KEPT_LOG);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'request-id': requestId,
    'stripe-version': API_VERSION,
    ...(key === null ? {} : { 'idempotency-key': key }),
    ...(entry.account === null ? {} : { 'stripe-account': entry.account }),
  };
  const answer = (status: number, body: object, transport: Transport = { kind: 'reply' }): CoreResponse => {
    entry.status = status;
    return { status, headers, body, transport };
  };
  try {
    const caller = identify(world, request.headers);
    const found = findRoute(request.method, path);
    if (!found) throw unknownUrl(request.method, path);
    const { route, ids } = found;
    if (caller.kind === 'publishable' && !route.publishable) throw secretKeyNeeded();
    const fault = takeFault(world, REQUEST_FAULTS, { method: request.method, path, account: entry.account });
    entry.fault = fault?.kind ?? null;
    if (fault?.kind === 'timeout_before') return answer(0, {}, { kind: 'break', delayMs: fault.delayMs });
    if (fault?.kind === 'rate_limit') throw tooMany(path);
    if (fault?.kind === 'error_500_before') throw serverError();
    const book = bookFor(world, route, caller);
    const tree = decode(request, path, query);
    if (route.path.startsWith('/v1/payment_intents') && Object.hasOwn(tree, 'payment_method_types'))
      throw noMethodTypes();
    const params = checkParams(route.params, tree);
    requireSecret(caller, route, params);
    requireKnownSteps(params.expand as string[] | undefined);
    if (key === null) return finish(execute(world, book, route, params, ids, caller, { requestId, key }), fault);
    if (key.length > 255) throw badParam('', 'Idempotency keys must be at most 255 characters.');
    return keyed(key, { route, params, ids, book, caller }, fault);
  } catch (error) {
    const failure = asFailure(error);
    return answer(failure.status, { error: { ...failure.body, request_log_url: logUrl(requestId) } });
  }

  function finish(
    done: { status: number; body: object },
    fault: Fault | undefined,
    release = () => undefined,
  ): CoreResponse {
    switch (fault?.kind) {
      case 'timeout_after_success':
        return answer(done.status, done.body, { kind: 'break', delayMs: fault.delayMs });
      case 'error_500_after':
        return answer(500, failed(serverError(), requestId).body);
      case 'hang_after_success':
        return answer(done.status, done.body, { kind: 'hang', delayMs: fault.delayMs, release });
      default:
        return answer(done.status, done.body);
    }
  }

  function keyed(
    name: string,
    call: { route: Route; params: Record<string, unknown>; ids: string[]; book: Book; caller: Caller },
    fault: Fault | undefined,
  ): CoreResponse {
    const slot = slotOf(world, name, call.book.account);
    const asked = { key: name, route: `POST ${path} ${call.book.account}`, params: canonical(call.params) };
    const kept = recall(world, slot, asked);
    if (kept) {
      entry.replayed = true;
      if (world.switches.idempotentReplayedHeader) headers['idempotent-replayed'] = 'true';
      headers['original-request'] = kept.requestId;
      return finish(kept, fault);
    }
    const done = execute(world, call.book, call.route, call.params, call.ids, call.caller, { requestId, key: name });
    const outcome = fault?.kind === 'error_500_after' ? failed(serverError(), requestId) : done;
    const reply = {
      ...asked,
      ...outcome,
      at: world.now,
      requestId,
      state: fault?.kind === 'hang_after_success' ? ('running' as const) : ('done' as const),
    };
    if (!done.validation && isKept(asked.route, outcome.status)) keep(world, slot, reply);
    return finish(outcome, fault, () => void freed(world, asked.route, slot));
  }
}

/** The parameters as they were sent: bodies of v2 are JSON, everything else is a form. */
function decode(request: CoreRequest, path: string, query: string): Tree {
  if (request.method !== 'POST') return decodeForm(query || request.body);
  return path.startsWith('/v2/') ? decodeJson(request.body) : decodeForm(request.body);
}

/** Runs the request. A refusal is an answer too; `validation` says that nothing was begun. */
function execute(
  world: World,
  book: Book,
  route: Route,
  params: Record<string, unknown>,
  ids: string[],
  caller: Caller,
  request: { requestId: string; key: string | null },
): { status: number; body: object; validation: boolean } {
  world.request = { id: request.requestId, idempotency_key: request.key };
  let begun = false;
  try {
    const body = route.run(world, book, params, ids);
    begun = true;
    const shown =
      caller.kind === 'publishable'
        ? safeFields(body)
        : expanded(world, book, body, params.expand as string[] | undefined);
    return { status: 200, body: shown, validation: false };
  } catch (error) {
    const failure = asFailure(error);
    const { payment_intent: intent, setup_intent: setup } = failure.body;
    const shown =
      caller.kind === 'publishable'
        ? {
            ...(intent && { payment_intent: safeFields(intent) }),
            ...(setup && { setup_intent: safeFields(setup) }),
          }
        : {};
    const { status, body } = failed(failure, request.requestId);
    return { status, body: { error: { ...body.error, ...shown } }, validation: failure.validation && !begun };
  } finally {
    world.request = null;
  }
}

function bookFor(world: World, route: Route, caller: Caller): Book {
  if (caller.account === null) return world.platform;
  if (route.scope === 'platform') {
    throw new StripeFailure(
      400,
      {
        type: 'invalid_request_error',
        code: 'emulator_unsupported',
        message: `The Stripe emulator does not support ${route.method} ${route.path} on behalf of a connected account (Stripe-Account).`,
      },
      true,
    );
  }
  return world.books.get(caller.account)!;
}

function requireSecret(caller: Caller, route: Route, params: Record<string, unknown>): void {
  const secret = Object.hasOwn(route.params, 'client_secret');
  if (caller.kind === 'publishable' && secret && params.client_secret === undefined) {
    throw badParam('client_secret', 'Missing required param: client_secret.', 'parameter_missing');
  }
  if (caller.kind === 'publishable' && params.expand !== undefined) {
    throw badParam('expand', 'The expand parameter cannot be used with a publishable key.');
  }
}

function asFailure(error: unknown): StripeFailure {
  if (error instanceof StripeFailure) return error;
  if (error instanceof URIError) return badParam('', 'Invalid request: the form is not percent-encoded correctly.');
  // A fault of the emulator itself must be seen as one, not be taken for Stripe's.
  throw error;
}
