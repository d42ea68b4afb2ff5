import { setImmediate } from 'node:timers/promises';
import { postTask } from '../../accounting/accounting.api.ts';
import { resolveVouchers, syncByNight } from '../../accounting/accounting.service.ts';
import type { Voucher } from '../../accounting/accounting.ts';
import { postVoucherQueue } from '../../accounting/queue.ts';
import type { Config } from '../../config.ts';
import { createEntry } from '../../ledger/ledger.store.ts';
import { hours, minutes, startOfBusinessDate } from '../../platform/clock.ts';
import type { Context } from '../../platform/context.ts';
import { createFortnoxClient } from '../../platform/fortnox/client.ts';
import { silentLog } from '../../platform/log.ts';
import { createTestFirestore } from '../firestore.ts';
import { meter, newCost, type Cost, type Meter } from '../meter.ts';
import { heldByProduct, type Held } from '../payout-bench/held.ts';
import { testConfig } from '../world.ts';
import { dayOf } from './day.ts';
import { countedFortnox, type Calls, type CountedFortnox } from './fortnox.ts';

export type Grouping = Config['voucherGrouping'];

/** What a day's books cost. `seconds` are of this machine, `nightMs` of the night's own clock. */
export interface Figures {
  grouping: Grouping;
  documents: number;
  vouchers: number;
  /** Of them posted, and with their list attached where they have one. */
  finished: number;
  sync: { cost: Cost; seconds: number };
  posting: Posting & { cost: Cost; seconds: number };
  calls: Calls;
  /** From 02:00 until the last task is done. */
  nightMs: number;
  /** The most documents that the product held at once. */
  held: { sync: number; posting: number };
  /** Of the whole process, both emulated worlds in it. */
  heapBytes: { before: number; after: number };
}

interface Posting {
  dispatches: number;
  failed: number;
  /** Seconds of this machine. */
  slowest: number;
}

export type Say = (line: string) => void;

const yesterday = startOfBusinessDate('2026-11-20');
const night = new Date(startOfBusinessDate('2026-11-21').getTime() + hours(2));
/** What a call of Fortnox is reckoned to take, deployed; here it takes nothing. */
export const callMs = 250;
const sweepEveryMs = minutes(5);
/** How often memory is looked at in the sync, and while vouchers are posted. */
const looks = 20;

interface World {
  ctx: Context;
  gauge: Meter;
  fortnox: CountedFortnox;
  /** Ids of the vouchers whose tasks wait. */
  tasks: string[];
  now: () => number;
  pass: (milliseconds: number) => void;
}

/** The night of one day's documents: the schedule's call, the queue at its own rate, the sweep beside it. */
export async function playNight(documents: number, grouping: Grouping, say: Say): Promise<Figures> {
  const memory = heldByProduct();
  const held = { sync: 0, posting: 0 };
  let phase: keyof typeof held | undefined;
  let waits = 0;
  // Where a day is a few vouchers, the product waits some hundred times in all; a small day is not worth a look each time.
  const lookEvery = Math.ceil(grouping === 'day' ? 1_000 / documents : documents / looks);
  const world = await openWorld(grouping, memory, async () => {
    if (!phase || ++waits % lookEvery !== 0) return;
    await setImmediate();
    held[phase] = Math.max(held[phase], (await memory.look()).documents);
  });
  const { ctx, gauge, fortnox, tasks } = world;
  await book(ctx, documents);
  const before = (await memory.look()).heapBytes;
  phase = 'sync';
  const [syncCost, postCost] = [newCost(), newCost()];
  const synced = await timed(() => gauge.measure(syncCost, () => syncByNight(ctx, night)));
  say(`${documents} documents have become ${synced.result.grouped} vouchers; ${tasks.length} tasks queued`);
  phase = 'posting';
  const posting = await timed(() => gauge.measure(postCost, () => postAll(world, synced.result.queued, say)));
  phase = undefined;
  const after = (await memory.look()).heapBytes;
  await fortnox.close();
  const vouchers = (await ctx.db.collection('vouchers').get()).docs.map((doc) => doc.data() as Voucher);
  const isFinished = ({ state, list }: Voucher) => state === 'posted' && (!list || list.state === 'attached');
  return {
    grouping,
    documents,
    vouchers: vouchers.length,
    finished: vouchers.filter(isFinished).length,
    sync: { cost: syncCost, seconds: synced.seconds },
    posting: { ...posting.result, cost: postCost, seconds: posting.seconds },
    calls: fortnox.calls,
    nightMs: world.now() - night.getTime(),
    held,
    heapBytes: { before, after },
  };
}

const failed = () => false;

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const began = performance.now();
  return { result: await work(), seconds: (performance.now() - began) / 1_000 };
}

/** One task after the other: the next begins when the queue lets it, and not before the last has its answers. */
async function postAll({ ctx, tasks, fortnox, now, pass }: World, queued: number, say: Say): Promise<Posting> {
  const posting = { dispatches: 0, failed: 0, slowest: 0 };
  let nextSweep = now() + sweepEveryMs;
  for (let voucherId = tasks.shift(); voucherId !== undefined; voucherId = tasks.shift()) {
    if (now() >= nextSweep) {
      nextSweep += sweepEveryMs;
      await resolveVouchers(ctx, ctx.clock.now());
    }
    const data = { voucherId };
    const { result: done, seconds } = await timed(() => postTask(ctx, data, 0).then(() => true, failed));
    if (!done) posting.failed++;
    posting.slowest = Math.max(posting.slowest, seconds);
    pass(Math.max(1_000 / postVoucherQueue.rateLimits.maxDispatchesPerSecond, fortnox.count() * callMs));
    if (++posting.dispatches % Math.ceil(queued / 5) === 0) say(`${posting.dispatches} tasks done`);
  }
  return posting;
}

async function openWorld(grouping: Grouping, memory: Held, onWait: () => Promise<void>): Promise<World> {
  let nowMs = night.getTime();
  const now = () => new Date(nowMs);
  const pass = (milliseconds: number) => void (nowMs += milliseconds);
  const db = createTestFirestore({ now, onAwait: onWait });
  const gauge = meter(db, memory.watch);
  const fortnox = await countedFortnox(() => nowMs);
  const client = createFortnoxClient({
    apiBase: fortnox.url,
    clientId: 'fortnox-emulator-client',
    clientSecret: 'fortnox-emulator-secret',
    tenantId: testConfig.fortnoxTenantId,
    now,
    sleep: async (milliseconds) => pass(milliseconds),
  });
  const tasks: string[] = [];
  const taken = new Set<string>();
  const refuse = () => Promise.reject(new Error('The books do not ask for it.'));
  const ctx: Context = {
    config: { ...testConfig, voucherGrouping: grouping, stripeApiBase: '', fortnoxApiBase: fortnox.url },
    clock: { now },
    db,
    stripe: refuse,
    fortnox: async () => client,
    fortnoxConsent: refuse,
    tasks: {
      async enqueue(_name, id, payload) {
        if (taken.has(id) || !('voucherId' in payload)) return;
        taken.add(id);
        const cost = gauge.current();
        if (cost) cost.tasks++;
        tasks.push(payload.voucherId);
      },
    },
    log: silentLog,
  };
  return { ctx, gauge, fortnox, tasks, now: () => nowMs, pass };
}

async function book(ctx: Context, documents: number): Promise<void> {
  const entries = [...dayOf(documents, yesterday)];
  for (let i = 0; i < entries.length; i += 200) {
    await ctx.db.runTransaction(async (tx) => {
      for (const entry of entries.slice(i, i + 200)) createEntry(ctx.db, tx, entry, ctx.clock.now());
    });
  }
}
