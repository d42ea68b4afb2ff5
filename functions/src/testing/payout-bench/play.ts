import { setImmediate } from 'node:timers/promises';
import { payCoachTask, runProgress, startRun, type RunProgress } from '../../payouts/payouts.service.ts';
import { payCoachQueue } from '../../payouts/queue.ts';
import { receiveEvent } from '../../webhooks/webhooks.service.ts';
import { newCost, total, type Cost } from '../meter.ts';
import { heldByProduct } from './held.ts';
import { openMarket, type Kind, type Market, type PayTask } from './market.ts';

/** What the tasks of one kind of coach cost. */
export interface KindCost {
  coaches: number;
  stripe: Spread;
  reads: Spread;
  writes: Spread;
  /** The most reads of one task beyond one an item; an empty answer is billed as one. */
  beyondItems: number;
}

export interface Spread {
  sum: number;
  most: number;
}

export interface Figures {
  coaches: number;
  payments: number;
  /** Listing who is due and queueing them. */
  listing: { cost: Cost; seconds: number };
  kinds: Map<Kind, KindCost>;
  /** Of all tasks together. */
  reads: Map<string, number>;
  writes: Map<string, number>;
  paying: { seconds: number; slowest: number };
  /** The most requests of one task to one of Stripe's endpoints. */
  atOneEndpoint: number;
  outcomes: Map<string, number>;
  progress: RunProgress;
  /** The most documents that the product held at once. */
  held: { listing: number; paying: number };
  /** Of the whole process, both emulated worlds in it. */
  heapBytes: { before: number; after: number };
  /** What follows the run for these coaches. */
  events: { coaches: number; events: number; cost: Cost };
}

export type Say = (line: string) => void;

/** Coaches whose events are played after the run. */
const followed = 100;
/** How often memory is looked at while all are listed, and while all are paid. */
const looks = 20;
/** About as many times the product waits for each coach. */
const waitsPerCoach = { listing: 2, paying: 10 };

/** One whole run, from the schedule's call to the last task, and what it cost. */
export async function playRun(coaches: number, payments: number, say: Say): Promise<Figures> {
  const memory = heldByProduct();
  const most = { listing: 0, paying: 0 };
  let phase: keyof typeof most | undefined;
  let waits = 0;
  const market = await openMarket(coaches, payments, {
    onRead: memory.watch,
    async onWait() {
      if (!phase) return;
      // The others go on until they wait, too.
      await setImmediate();
      if (++waits % Math.ceil((coaches * waitsPerCoach[phase]) / looks) !== 0) return;
      most[phase] = Math.max(most[phase], (await memory.look()).documents);
    },
    onProgress: (done) => say(`${done} of ${coaches} coaches have been onboarded and have sold`),
  });
  const heapBefore = (await memory.look()).heapBytes;
  phase = 'listing';
  const cost = newCost();
  const listed = await timed(() => market.gauge.measure(cost, () => startRun(market.ctx, market.monday)));
  const { runId } = listed.result;
  say(`${market.tasks.length} tasks queued`);
  phase = 'paying';
  const sums = newSums();
  const paid = await timed(() => payAll(market, sums, say));
  phase = undefined;
  return {
    coaches,
    payments,
    listing: { cost, seconds: listed.seconds },
    ...sums,
    paying: { seconds: paid.seconds, slowest: paid.result },
    progress: await runProgress(market.ctx, runId),
    held: most,
    heapBytes: { before: heapBefore, after: (await memory.look()).heapBytes },
    events: await follow(market),
  };
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const began = performance.now();
  return { result: await work(), seconds: (performance.now() - began) / 1000 };
}

type Sums = Pick<Figures, 'kinds' | 'reads' | 'writes' | 'atOneEndpoint' | 'outcomes'>;

const newSums = (): Sums => ({
  kinds: new Map(),
  reads: new Map(),
  writes: new Map(),
  atOneEndpoint: 0,
  outcomes: new Map(),
});

/** As many at once as the queue lets through. Gives the slowest task's seconds. */
async function payAll(market: Market, sums: Sums, say: Say): Promise<number> {
  const all = market.tasks.length;
  let slowest = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    for (let task = market.tasks.pop(); task; task = market.tasks.pop()) {
      slowest = Math.max(slowest, await payOne(market, task, sums));
      if (++done % Math.ceil(all / 5) === 0) say(`${done} of ${all} coaches answered for`);
    }
  };
  await Promise.all(Array.from({ length: payCoachQueue.rateLimits.maxConcurrentDispatches }, worker));
  return slowest;
}

async function payOne(market: Market, task: PayTask, sums: Sums): Promise<number> {
  const cost = newCost();
  const { result, seconds } = await timed(() =>
    market.gauge.measure(cost, () => payCoachTask(market.ctx, task, false)),
  );
  addUp(sums.outcomes, new Map([[result, 1]]));
  addUp(sums.reads, cost.reads);
  addUp(sums.writes, cost.writes);
  const atEach = Map.groupBy(cost.stripe, (line) => line);
  for (const requests of atEach.values()) sums.atOneEndpoint = Math.max(sums.atOneEndpoint, requests.length);
  const kind = market.kinds.get(task.coachId) ?? 'paid';
  const of = sums.kinds.get(kind) ?? noCost();
  sums.kinds.set(kind, {
    coaches: of.coaches + 1,
    stripe: withOne(of.stripe, cost.stripe.length),
    reads: withOne(of.reads, total(cost.reads)),
    writes: withOne(of.writes, total(cost.writes)),
    beyondItems: Math.max(of.beyondItems, total(cost.reads) - (cost.reads.get('coaches/*/earnings') ?? 0)),
  });
  return seconds;
}

const noCost = (): KindCost => {
  const none = { sum: 0, most: 0 };
  return { coaches: 0, stripe: none, reads: none, writes: none, beyondItems: 0 };
};

const withOne = ({ sum, most }: Spread, value: number): Spread => ({ sum: sum + value, most: Math.max(most, value) });

function addUp(sums: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [what, count] of counts) sums.set(what, (sums.get(what) ?? 0) + count);
}

/** The bank days of some coaches: what Stripe tells of their payouts until they are paid. */
async function follow(market: Market): Promise<Figures['events']> {
  const payouts = await market.ctx.db.collection('payouts').limit(followed).get();
  const accounts = new Set(payouts.docs.map((doc) => String(doc.get('stripeAccountId'))));
  const cost = newCost();
  const events = market.payoutNews(accounts, 8);
  await market.gauge.measure(cost, async () => {
    for (const event of events) await receiveEvent(market.ctx, event);
  });
  return { coaches: accounts.size, events: events.length, cost };
}
