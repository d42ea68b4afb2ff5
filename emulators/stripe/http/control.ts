/** The control API under /_emulator: what tests and people do to the emulator that nobody does to Stripe. */
import type { StripeCore } from '../core/core.ts';
import { StripeFailure } from '../core/errors.ts';
import { DELIVERY_FAULTS, REQUEST_FAULTS, makeFault } from '../core/faults.ts';
import type { FaultOrder } from '../core/faults.ts';
import { ROUTES } from '../core/routes.ts';
import { changeSwitches } from '../core/switches.ts';
import { TEST_IBANS } from '../resources/banks.ts';
import { registerThin } from '../resources/event-destinations.ts';
import { registerEndpoint } from '../resources/events-api.ts';
import { TEST_CARDS } from '../resources/test-cards.ts';
import { triggers } from '../resources/trigger.ts';
import { Untriggered, triggerTools } from '../resources/trigger-tools.ts';
import { stateOf } from './state.ts';
import { ACCOUNT_FIELDS, changeAccount } from './control-account.ts';
import { MOVEMENT_FIELDS, moveBalance } from './control-balance.ts';
import type { Deliverer } from './delivery.ts';

export interface ControlReply {
  status: number;
  body: object;
}

/** A control request that is wrong: 400 with what to do. */
class Wrong extends Error {}

type Body = Record<string, unknown>;
interface Asked {
  core: StripeCore;
  deliverer: Deliverer;
  query: URLSearchParams;
  body: Body;
  /** The last segment of the path, where the command's name ends in `:id`. */
  id: string;
}

interface Command {
  about: string;
  run(asked: Asked): object | Promise<object>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  'GET /_emulator': { about: 'This list.', run: () => overview() },
  'GET /_emulator/health': {
    about: 'Whether it runs, and its clock.',
    run: ({ core }) => ({ ok: true, now: core.now(), publicUrl: core.world.publicUrl }),
  },
  'GET /_emulator/state': {
    about: 'Everything by account and resource, balances, timers, and notices of what the emulator could not do.',
    run: ({ core }) => stateOf(core),
  },
  'POST /_emulator/reset': {
    about:
      'Forgets everything but webhook endpoints, event destinations and switches. {endpoints: true} forgets those endpoints too.',
    run: ({ core, deliverer, body }) => {
      only(body, ['endpoints']);
      deliverer.clear();
      core.reset();
      if (body.endpoints === true) {
        core.world.endpoints.clear();
        core.world.connect.destinations.clear();
      }
      return { ok: true };
    },
  },
  'GET /_emulator/clock': { about: 'Unix seconds of the clock.', run: ({ core }) => ({ now: core.now() }) },
  'POST /_emulator/clock': {
    about: '{advanceSeconds} or {now}: moves the clock forward; what falls due happens, in order.',
    run: ({ core, body }) => ({ now: moveClock(core, body) }),
  },
  'GET /_emulator/webhook_endpoints': {
    about: 'The endpoints with their secrets.',
    run: ({ core }) => ({
      data: [...core.world.endpoints.values()].map((each) => ({
        ...each.object,
        connect: each.connect,
        secret: each.secret,
      })),
    }),
  },
  'POST /_emulator/webhook_endpoints': {
    about:
      '{url, secret, connect?, enabledEvents?, thin?}: registers an endpoint with a secret of your choice; thin makes it an ' +
      'event destination of thin events, named one by one (v1.payout.failed).',
    run: ({ core, body }) => addEndpoint(core, body),
  },
  'GET /_emulator/requests': {
    about: 'The requests that came, oldest first. ?method= &path= (prefix) &account= &idempotencyKey= &status=',
    run: ({ core, query }) => ({ data: core.world.requests.filter((each) => fits(each, query, 'path')) }),
  },
  'GET /_emulator/events': {
    about: 'Full event envelopes of all accounts, oldest first. ?type= (prefix) &account= &after= (an event id)',
    run: ({ core, query }) => ({ data: eventsAfter(core, query) }),
  },
  'GET /_emulator/deliveries': {
    about: 'The deliveries with their attempts. ?eventId= &eventType= (prefix) &account= &status= &endpointId=',
    run: ({ core, query }) => ({
      data: [...core.world.deliveries.values()].filter((each) => fits(each, query, 'eventType')),
    }),
  },
  'POST /_emulator/redeliver': {
    about: '{eventId}: sends an event again to its endpoints, whatever became of it before.',
    run: ({ core, deliverer, body }) => {
      only(body, ['eventId']);
      const again = [...core.world.deliveries.values()].filter((each) => each.eventId === body.eventId);
      if (again.length === 0) throw new Wrong(`No endpoint was told of an event '${String(body.eventId)}'.`);
      for (const delivery of again) delivery.status = 'pending';
      deliverer.resend(again);
      return { deliveries: again.length };
    },
  },
  'POST /_emulator/trigger': {
    about: '{type, ...overrides}: makes the objects behind an event through the API, so that it comes about.',
    run: ({ core, body }) => trigger(core, body),
  },
  'POST /_emulator/accounts/:id': {
    about: `{${ACCOUNT_FIELDS.join('?, ')}?}: restricts, enables, rejects or deauthorizes a connected account; its payouts fail with that code.`,
    run: ({ core, body, id }) => {
      only(body, ACCOUNT_FIELDS);
      const changed = changeAccount(core.world, id, body);
      if (typeof changed === 'string') throw new Wrong(changed);
      return changed;
    },
  },
  'POST /_emulator/balance_transactions': {
    about:
      `{${MOVEMENT_FIELDS.join(', ')}}: moves an account's balance as Stripe does of its own accord: bills a fee, holds ` +
      'money back, corrects. All but type and amount may be left out.',
    run: ({ core, body }) => {
      only(body, MOVEMENT_FIELDS);
      const moved = moveBalance(core.world, body);
      if (typeof moved === 'string') throw new Wrong(moved);
      return moved;
    },
  },
  'POST /_emulator/settle': {
    about: '{timeoutMs?}: waits until no delivery is pending. {pending} is 0, or what is left after the time.',
    run: ({ core, deliverer, body }) => settle(core, deliverer, body),
  },
  'GET /_emulator/faults': {
    about: 'The faults that have not struck yet.',
    run: ({ core }) => ({ data: core.world.faults }),
  },
  'POST /_emulator/faults': {
    about: `{kind, method?, path?, account?, eventType?, times?, delayMs?}; kinds: ${[...REQUEST_FAULTS, ...DELIVERY_FAULTS].join(', ')}.`,
    run: ({ core, body }) => {
      const fault = makeFault(core.world.ids.next('fault', 10), body as unknown as FaultOrder);
      if (typeof fault === 'string') throw new Wrong(fault);
      core.world.faults.push(fault);
      return { id: fault.id };
    },
  },
  'DELETE /_emulator/faults': {
    about: 'Forgets all faults.',
    run: ({ core }) => {
      core.world.faults = [];
      return { ok: true };
    },
  },
  'GET /_emulator/switches': { about: 'The switches.', run: ({ core }) => core.world.switches },
  'POST /_emulator/switches': {
    about: '{name: value, ...}: changes switches.',
    run: ({ core, body }) => {
      const next = changeSwitches(core.world.switches, body);
      if (typeof next === 'string') throw new Wrong(next);
      core.world.switches = next;
      return next;
    },
  },
};

/** Answers a control request; undefined when there is no such command. */
export async function control(
  core: StripeCore,
  deliverer: Deliverer,
  request: { method: string; url: URL; body: string },
): Promise<ControlReply> {
  const path = request.url.pathname.replace(/\/$/, '');
  const [, id = ''] = /^\/_emulator\/accounts\/([^/]+)$/.exec(path) ?? [];
  const command = COMMANDS[`${request.method} ${id === '' ? path : '/_emulator/accounts/:id'}`];
  if (!command) {
    return { status: 404, body: { error: `There is no ${request.method} ${path}.`, commands: Object.keys(COMMANDS) } };
  }
  try {
    core.tick();
    const body = parseBody(request.body);
    return { status: 200, body: await command.run({ core, deliverer, query: request.url.searchParams, body, id }) };
  } catch (error) {
    if (error instanceof Wrong || error instanceof StripeFailure || error instanceof Untriggered)
      return { status: 400, body: { error: error.message } };
    throw error;
  }
}

function parseBody(text: string): Body {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Wrong('The body is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Wrong('The body is not a JSON object.');
  return value as Body;
}

function only(body: Body, known: readonly string[]): void {
  const unknown = Object.keys(body).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new Wrong(`There is no '${unknown.join("', '")}' here, only: ${known.join(', ')}.`);
}

const overview = () => ({
  about: 'A stateful Stripe for tests. Point the stripe package at it with host, port and protocol http.',
  commands: Object.fromEntries(Object.entries(COMMANDS).map(([name, command]) => [name, command.about])),
  routes: ROUTES.map((route) => `${route.method} ${route.path} (${Object.keys(route.params).join(', ')})`),
  testCards: Object.keys(TEST_CARDS),
  testIbans: TEST_IBANS,
  triggers: Object.keys(triggers),
});

/** Runs a trigger and tells which events came of it. */
function trigger(core: StripeCore, body: Body): object {
  const { type, ...overrides } = body;
  const wanted = typeof type === 'string' && Object.hasOwn(triggers, type) ? triggers[type] : undefined;
  if (!wanted)
    throw new Wrong(`There is no trigger '${String(type)}'. There are: ${Object.keys(triggers).join(', ')}.`);
  const before = core.world.events.size;
  wanted(triggerTools(core, overrides));
  const events = core.world.events.values().slice(before);
  if (!events.some((event) => event.type === type)) throw new Untriggered(`What was done made no ${String(type)}.`);
  return { events: events.map(({ id, type: name, account }) => ({ id, type: name, account: account ?? null })) };
}

function moveClock(core: StripeCore, body: Body): number {
  only(body, ['advanceSeconds', 'now']);
  const { advanceSeconds: by, now: to } = body;
  if ((by === undefined) === (to === undefined)) throw new Wrong('Give either advanceSeconds or now (Unix seconds).');
  const seconds = by === undefined ? Number(to) - core.now() : Number(by);
  if (!Number.isInteger(seconds)) throw new Wrong('The clock moves by whole seconds.');
  if (seconds < 0) throw new Wrong(`The clock stands at ${core.now()} and moves only forward.`);
  return core.advance(seconds);
}

function addEndpoint(core: StripeCore, body: Body): object {
  only(body, ['url', 'secret', 'connect', 'enabledEvents', 'thin']);
  const { url, secret, connect = false, enabledEvents = ['*'], thin = false } = body;
  if (typeof url !== 'string' || typeof secret !== 'string' || secret === '')
    throw new Wrong('An endpoint needs a url and a secret.');
  if (typeof connect !== 'boolean' || typeof thin !== 'boolean')
    throw new Wrong(`'connect' and 'thin' are true or false.`);
  if (!Array.isArray(enabledEvents) || !enabledEvents.every((type) => typeof type === 'string')) {
    throw new Wrong(`'enabledEvents' is a list of event types, or ['*'].`);
  }
  if (thin) return { id: registerThin(core.world, { url, secret, connect, enabledEvents }) };
  const { object } = registerEndpoint(core.world, { url, secret, connect, enabledEvents });
  return { id: object.id };
}

/** Whether each of the query's fields is the object's; the one named `prefixed` need only begin so. */
function fits(item: object, query: URLSearchParams, prefixed: string): boolean {
  for (const [name, wanted] of query) {
    if (!Object.hasOwn(item, name)) throw new Wrong(`There is no field '${name}' to filter by.`);
    const value = String((item as Body)[name]);
    if (name === prefixed ? !value.startsWith(wanted) : value !== wanted) return false;
  }
  return true;
}

function eventsAfter(core: StripeCore, query: URLSearchParams): object[] {
  const after = query.get('after');
  const rest = new URLSearchParams([...query].filter(([name]) => name !== 'after'));
  const from = after === null ? -1 : core.world.events.positionOf(after);
  if (from === undefined) throw new Wrong(`There is no event '${after}'.`);
  return [...core.world.events.walk({ above: from })].filter((event) =>
    fits({ account: null, ...event }, rest, 'type'),
  );
}

async function settle(core: StripeCore, deliverer: Deliverer, body: Body): Promise<object> {
  only(body, ['timeoutMs']);
  const until = Date.now() + Number(body.timeoutMs ?? 10_000);
  for (;;) {
    core.tick();
    deliverer.pump();
    const pending = deliverer.pending();
    if (pending === 0 || Date.now() >= until) return { pending };
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
