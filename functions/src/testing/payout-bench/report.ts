import { payCoachQueue, runTimeoutSeconds } from '../../payouts/queue.ts';
import { runPageSize } from '../../payouts/runs.ts';
import { stripePatience } from '../../platform/stripe.ts';
import { total } from '../meter.ts';
import type { Figures, Spread } from './play.ts';

/** Pure: what was measured as a table people read, and what must hold of it. */

/** Requests a second that Stripe takes from a live account, by its documentation of rate limits. */
const stripeTakes = { atOneEndpoint: 25, inAll: 100 };
/** What a coach may cost. */
const most = { stripeCalls: 2, readsBeyondItems: 3, listingReads: 1 };
/** What one write to Firestore and one task queued are reckoned to take together, deployed; here they take nothing. */
const queueingSeconds = 0.2;
const { maxConcurrentDispatches, maxDispatchesPerSecond } = payCoachQueue.rateLimits;

export interface Check {
  name: string;
  held: boolean;
  /** The figures that say so. */
  by: string;
}

export const number = (value: number, digits = 0): string =>
  value.toLocaleString('sv-SE', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** 0,64 s; 12 s; 8 min 20 s. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${number(seconds, 2)} s`;
  const whole = Math.round(seconds);
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  return [...(minutes > 0 ? [`${minutes} min`] : []), ...(rest > 0 || minutes === 0 ? [`${rest} s`] : [])].join(' ');
}

/** Left-hand words, right-hand figures, one column for each run. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const cell = (text: string, at: number) => (at === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[at] ?? 0));
  return rows.map((row) => `  ${row.map(cell).join('   ')}`).join('\n');
}

/** The tables of all runs beside each other. */
export function describe(runs: readonly Figures[]): string {
  const row = (name: string, of: (run: Figures) => string) => [name, ...runs.map(of)];
  const kinds = [...new Set(runs.flatMap(({ kinds }) => [...kinds.keys()]))];
  const perCoach = kinds.flatMap((kind) => {
    const of = (run: Figures, figure: 'stripe' | 'reads' | 'writes') => {
      const cost = run.kinds.get(kind);
      return cost ? spread(cost[figure], cost.coaches) : '–';
    };
    return [
      row(`${kind}: coaches`, (run) => number(run.kinds.get(kind)?.coaches ?? 0)),
      row('  calls to Stripe', (run) => of(run, 'stripe')),
      row('  reads', (run) => of(run, 'reads')),
      row('  of them beyond one an item', (run) => number(run.kinds.get(kind)?.beyondItems ?? 0)),
      row('  writes', (run) => of(run, 'writes')),
    ];
  });
  const listing = [
    row('coaches', ({ coaches }) => number(coaches)),
    row('reads', ({ listing, coaches }) => number(total(listing.cost.reads) / coaches, 3)),
    row('writes', ({ listing, coaches }) => number(total(listing.cost.writes) / coaches, 3)),
    row('tasks queued', ({ listing, coaches }) => number(listing.cost.tasks / coaches, 3)),
  ];
  const events = [
    row('events', ({ events }) => number(events.events / events.coaches, 2)),
    row('calls to Stripe', ({ events }) => number(events.cost.stripe.length / events.coaches, 2)),
    row('reads', ({ events }) => number(total(events.cost.reads) / events.coaches, 2)),
    row('writes', ({ events }) => number(total(events.cost.writes) / events.coaches, 2)),
  ];
  const memory = [
    row('documents held, listing', ({ held }) => number(held.listing)),
    row('documents held, paying', ({ held }) => number(held.paying)),
    row('heap with both emulated worlds, MB', ({ heapBytes }) => number(heapBytes.after / 1e6)),
    row('  of it grown during the run', ({ heapBytes }) => number((heapBytes.after - heapBytes.before) / 1e6)),
  ];
  const time = [
    row('listing and queueing, here', ({ listing }) => duration(listing.seconds)),
    row('paying, here', ({ paying }) => duration(paying.seconds)),
    row('  slowest task', ({ paying }) => duration(paying.slowest)),
    row('paying, at the queue’s rate', ({ coaches }) => duration(coaches / maxDispatchesPerSecond)),
  ];
  return [
    'The run: who is due, for each coach',
    table(listing),
    '',
    'The task of one coach: mean (most)',
    table(perCoach),
    '',
    'Reads and writes of all tasks, for each coach paid',
    table([...documents(runs, 'reads', 'read'), ...documents(runs, 'writes', 'written')]),
    '',
    'What follows for a coach paid, until the bank has the money: Stripe’s events',
    table(events),
    '',
    'Memory after collections of garbage',
    table(memory),
    '',
    'Time',
    table(time),
  ].join('\n');
}

const spread = ({ sum, most: highest }: Spread, coaches: number): string =>
  `${number(sum / coaches, 2)} (${number(highest)})`;

function documents(runs: readonly Figures[], which: 'reads' | 'writes', word: string): string[][] {
  const names = [...new Set(runs.flatMap((run) => [...run[which].keys()]))];
  return names.map((name) => [
    `${word}: ${name}`,
    ...runs.map((run) => number((run[which].get(name) ?? 0) / (run.kinds.get('paid')?.coaches ?? 1), 2)),
  ]);
}

/** What must hold of every run, however many coaches it has. */
export function check(run: Figures): Check[] {
  const { coaches, held, progress, listing } = run;
  const kinds = [...run.kinds.values()];
  const calls = Math.max(...kinds.map(({ stripe }) => stripe.most));
  const beyond = Math.max(...kinds.map(({ beyondItems }) => beyondItems));
  const listed = (listing.cost.reads.get('coaches') ?? 0) / coaches;
  const paid = run.outcomes.get('settled') ?? 0;
  const mostHeld = maxConcurrentDispatches * (run.payments + most.readsBeyondItems);
  const atOne = run.atOneEndpoint * maxDispatchesPerSecond;
  const inAll = calls * maxDispatchesPerSecond;
  const tries = stripePatience.retries + 1;
  const longest = (calls * tries * stripePatience.timeoutMs) / 1000;
  const queueing = (coaches / maxConcurrentDispatches) * queueingSeconds;
  const rate = `${maxDispatchesPerSecond} tasks a second`;
  return [
    limit('calls to Stripe for a coach', calls, most.stripeCalls),
    limit('reads for a coach beyond one an item', beyond, most.readsBeyondItems),
    // The page that says there are no more may be empty, which is billed as one.
    limit('reads of a coach in the listing', Math.floor(listed * 100) / 100, most.listingReads),
    limit('documents held while listing: one page', held.listing, runPageSize),
    limit(`documents held while paying: ${maxConcurrentDispatches} tasks`, held.paying, mostHeld),
    {
      name: 'progress by counting: nobody waits, all are paid or explained',
      held: progress.waiting === 0 && progress.paid === paid && progress.paid + progress.nothing === coaches,
      by: `${number(progress.paid)} paid, ${number(progress.nothing)} explained, ${number(progress.waiting)} waiting`,
    },
    limit(`${rate} × ${run.atOneEndpoint} to one endpoint of Stripe’s, a second`, atOne, stripeTakes.atOneEndpoint),
    limit(`${rate} × ${calls} to Stripe in all, a second`, inAll, stripeTakes.inAll),
    {
      name: `a task whose ${calls} calls are each tried ${tries} times for ${stripePatience.timeoutMs / 1000} s ends in half its time`,
      held: longest <= payCoachQueue.timeoutSeconds / 2,
      by: `${duration(longest)} of ${duration(payCoachQueue.timeoutSeconds)}`,
    },
    {
      name: `all are queued in half the run’s time, reckoned ${number(queueingSeconds, 1)} s each and ${maxConcurrentDispatches} at once`,
      held: queueing <= runTimeoutSeconds / 2,
      by: `${duration(queueing)} of ${duration(runTimeoutSeconds)}`,
    },
  ];
}

export const limit = (name: string, value: number, highest: number): Check => ({
  name,
  held: value <= highest,
  by: `${number(value)} of at most ${number(highest)}`,
});

export const describeChecks = (checks: readonly Check[]): string =>
  checks.map(({ name, held, by }) => `  ${held ? '✓' : '✗ EXCEEDED'} ${name}: ${by}`).join('\n');
