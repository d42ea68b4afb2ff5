/**
 * What a contract test exercised, noted while it runs, for the tables in README.md. Test code only. Nothing is noted
 * unless the environment's CONTRACT_COVERAGE names a folder, which write-readme.ts does.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fortnoxRoute } from './fortnox/api.ts';
import type { FortnoxCore } from './fortnox/core.ts';
import { freshState, FORTNOX_EMULATOR_DEFAULTS } from './fortnox/state.ts';
import type { StripeCore } from './stripe/core/core.ts';
import type { Fault } from './stripe/core/faults.ts';
import { findRoute } from './stripe/core/routes.ts';
import { defaultSwitches } from './stripe/core/switches.ts';

export type Kind = 'route' | 'event' | 'fault' | 'switch';
export interface Exercised {
  readonly kind: Kind;
  /** `POST /v1/refunds`, `refund.created`, `rate_limit`, or a switch's name. */
  readonly name: string;
  readonly test: string;
}
export interface FileCoverage {
  /** From the repository's root. */
  readonly file: string;
  readonly exercised: readonly Exercised[];
}

/** Routes whose every answer is a refusal, as at Stripe for Swedish accounts: that one is what a test proves. */
const ALWAYS_REFUSED: readonly string[] = ['POST /v1/payouts/{}/reverse'];

const noted = new Map<string, Exercised>();

function note(kind: Kind, name: string, test = expect.getState().currentTestName): void {
  // Outside of any test (beforeAll) nothing is proved.
  if (test === undefined) return;
  noted.set(`${kind} ${name} ${test}`, { kind, name, test });
}

function write(folder: string): void {
  const path = expect.getState().testPath;
  if (path === undefined || noted.size === 0) return;
  const coverage: FileCoverage = { file: relative(process.cwd(), path), exercised: [...noted.values()] };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${basename(path)}.json`), JSON.stringify(coverage, null, 1));
}

function noteSwitches(now: object, usual: object): void {
  const before = new Map<string, unknown>(Object.entries(usual));
  for (const [name, value] of Object.entries(now)) if (before.get(name) !== value) note('switch', name);
}

export interface StripeWatch {
  /** Remembers the faults there are; the one that has struck by the end counts. */
  seeFaults(): void;
  end(): void;
}

/** Watches a Stripe core: routes the SDK called with success, faults that struck, events that came. */
export function watchStripe(core: StripeCore): StripeWatch {
  const folder = process.env.CONTRACT_COVERAGE;
  if (!folder) return { seeFaults: () => undefined, end: () => undefined };
  const handle = core.handle.bind(core);
  const reset = core.reset.bind(core);
  const faults = new Map<Fault, { times: number; test: string | undefined }>();
  const events = new Set<string>();
  const seeEvents = () => {
    for (const { id, type } of core.world.events.values()) {
      if (!events.has(id)) note('event', type);
      events.add(id);
    }

    for (const [{ kind, times }, armed] of faults) if (times < armed.times) note('fault', kind, armed.test);
  };
  core.handle = (request) => {
    const reply = handle(request);
    const entry = core.world.requests.at(-1)!;
    if (entry.fault !== null) note('fault', entry.fault);
    const bySdk = request.headers['user-agent']?.startsWith('Stripe/') === true;
    const found = bySdk ? findRoute(entry.method, entry.path)?.route : undefined;
    const name = `${found?.method} ${found?.path}`;
    if (found && (reply.status < 300 || ALWAYS_REFUSED.includes(name))) note('route', name);
    seeEvents();
    noteSwitches(core.world.switches, defaultSwitches);
    return reply;
  };
  core.reset = () => {
    seeEvents();
    reset();
  };
  return {
    seeFaults() {
      const test = expect.getState().currentTestName;
      for (const fault of core.world.faults) if (!faults.has(fault)) faults.set(fault, { times: fault.times, test });
    },
    end() {
      seeEvents();
      write(folder);
    },
  };
}

/** Watches a Fortnox core in the same way; what was seen is written after the file's last test. */
export function watchFortnox<C extends FortnoxCore>(core: C): C {
  const folder = process.env.CONTRACT_COVERAGE;
  if (!folder) return core;
  const handle = core.handle.bind(core);
  const usual = freshState(0, FORTNOX_EMULATOR_DEFAULTS).switches;
  core.handle = (request) => {
    const reply = handle(request);
    const pathname = URL.parse(request.url, 'http://emulator')?.pathname;
    if (pathname === undefined || pathname.startsWith('/_emulator')) return reply;
    const fault = core.state().requests.at(-1)?.fault ?? null;
    if (fault !== null) note('fault', fault);
    const done = fault === null && reply.kind === 'answer' && reply.status < 400;
    const route = done ? fortnoxRoute(request.method, pathname) : undefined;
    if (route !== undefined) note('route', route);
    noteSwitches(core.state().switches, usual);
    write(folder);
    return reply;
  };
  return core;
}
