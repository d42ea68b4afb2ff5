import { postVoucherQueue, syncTimeoutSeconds } from '../../accounting/queue.ts';
import { total } from '../meter.ts';
import { duration, limit, number, table, type Check } from '../payout-bench/report.ts';
import { callMs, type Figures } from './play.ts';

/** Pure: what was measured as a table people read, and what must hold of it. */

/** Of Fortnox: 25 in 5 s, and bursts of more than four a second have been seen to be refused. */
const fortnoxTakes = { inWindow: 25, aSecond: 4 };
/** Calls of one voucher whose post was unclear: it is looked for, and posted. */
const callsAfterDoubt = 2;
/** What a day of ten thousand documents may cost where a day has one voucher a kind, whatever kinds there are. */
const mostByDay = 60;
/** Documents of one page and one commit, where each has a voucher of its own; of one voucher, where a day's are grouped. */
const pages = { transaction: 200 + 20, day: 5_000 };
/** From 02:00 to 04:00. */
const nightMs = 2 * 3_600_000;
/** Of the tasks those that the sweep queued again while they waited in the queue. */
const mostTwice = 0.15;
/** What one commit, and one task queued, are reckoned to take, deployed; tasks are queued ten at once, commits hold 20. */
const reckoned = { seconds: 0.2, queuedAtOnce: 10, inCommit: 20 };
const { maxConcurrentDispatches, maxDispatchesPerSecond } = postVoucherQueue.rateLimits;

const per1000 = (value: number, { documents }: Figures): string => number((value / documents) * 1_000, 1);

/** The tables of both groupings beside each other. */
export function describe(nights: readonly Figures[]): string {
  const row = (name: string, of: (night: Figures) => string) => [name, ...nights.map(of)];
  const costs = (which: 'reads' | 'writes') => {
    const sums = nights.map(({ sync, posting }) => added(sync.cost[which], posting.cost[which]));
    const names = [...new Set(sums.flatMap((sum) => [...sum.keys()]))];
    return [
      row(which, (night) => per1000(total(sums[nights.indexOf(night)] ?? new Map()), night)),
      ...names.map((name) => row(`  ${name}`, (night) => per1000(sums[nights.indexOf(night)]?.get(name) ?? 0, night))),
    ];
  };
  const asked = [...new Set(nights.flatMap(({ calls }) => [...calls.of.keys()]))];
  return [
    'The night',
    table([
      row('vouchers', ({ grouping }) => `by ${grouping}`),
      row('documents', ({ documents }) => number(documents)),
      row('vouchers', ({ vouchers }) => number(vouchers)),
      row('tasks', ({ posting }) => number(posting.dispatches)),
      row('calls of Fortnox', ({ calls }) => number(calls.inAll)),
      ...asked.map((what) => row(`  ${what}`, ({ calls }) => number(calls.of.get(what) ?? 0))),
      row('tokens asked for', ({ calls }) => number(calls.tokens)),
    ]),
    '',
    'For each 1 000 documents',
    table([
      row('calls of Fortnox', (night) => per1000(night.calls.inAll, night)),
      ...costs('reads'),
      ...costs('writes'),
      row('seconds here, the sync', (night) => per1000(night.sync.seconds, night)),
      row('seconds here, posting', (night) => per1000(night.posting.seconds, night)),
      row('seconds at the queue’s rate', (night) => per1000(night.nightMs / 1_000, night)),
    ]),
    '',
    'Memory after collections of garbage',
    table([
      row('documents held, the sync', ({ held }) => number(held.sync)),
      row('documents held, posting', ({ held }) => number(held.posting)),
      row('heap with both emulated worlds, MB', ({ heapBytes }) => number(heapBytes.after / 1e6)),
      row('  of it grown in the night', ({ heapBytes }) => number((heapBytes.after - heapBytes.before) / 1e6)),
    ]),
  ].join('\n');
}

function added(some: ReadonlyMap<string, number>, more: ReadonlyMap<string, number>): Map<string, number> {
  const sums = new Map(some);
  for (const [what, count] of more) sums.set(what, (sums.get(what) ?? 0) + count);
  return sums;
}

/** How long the night is, from the queue's own settings. */
export function calculation({ vouchers, posting, nightMs: took }: Figures): string {
  const least = vouchers / maxDispatchesPerSecond;
  return [
    `  ${number(vouchers)} vouchers, ${maxConcurrentDispatches} at once, at most ${maxDispatchesPerSecond} a second: at least ${duration(least)}`,
    `  with ${number(posting.dispatches - vouchers)} tasks that the sweep queued once more, and ${callMs} ms for each call: ${duration(took / 1_000)}`,
  ].join('\n');
}

/** What must hold of every night. */
export function check(night: Figures): Check[] {
  const { grouping, documents, vouchers, finished, calls, posting, held } = night;
  const twice = posting.dispatches - vouchers;
  const rate = maxDispatchesPerSecond * callsAfterDoubt;
  const commits = Math.ceil(documents / reckoned.inCommit) * reckoned.seconds;
  const syncing = commits + (vouchers / reckoned.queuedAtOnce) * reckoned.seconds;
  return [
    {
      name: 'every voucher is posted, and none failed',
      held: finished === vouchers && posting.failed === 0,
      by: `${number(finished)} of ${number(vouchers)}, ${number(posting.failed)} failed`,
    },
    ...(grouping === 'day'
      ? [limit('calls of Fortnox', calls.inAll, mostByDay)]
      : [
          limit(
            'calls of Fortnox: one a voucher, the first one’s, and the lock once a minute',
            calls.inAll,
            vouchers + calls.first + lockReads(night),
          ),
          limit(
            `${maxDispatchesPerSecond} tasks a second × ${callsAfterDoubt} calls after an unclear post, a second`,
            rate,
            fortnoxTakes.aSecond,
          ),
        ]),
    limit('calls of Fortnox in 5 s', calls.inWindow, fortnoxTakes.inWindow),
    limit('calls that Fortnox turned away', calls.turnedAway, 0),
    limit('tasks queued twice', twice, Math.floor(vouchers * mostTwice)),
    {
      name: 'the books are done by 04:00',
      held: night.nightMs <= nightMs,
      by: `${duration(night.nightMs / 1_000)} of ${duration(nightMs / 1_000)}`,
    },
    {
      name: `the sync ends in time, reckoned ${number(reckoned.seconds, 1)} s a commit and ${reckoned.queuedAtOnce} tasks`,
      held: syncing <= syncTimeoutSeconds,
      by: `${duration(syncing)} of ${duration(syncTimeoutSeconds)}`,
    },
    limit('documents held in the sync', held.sync, grouping === 'day' ? 2 * pages.day : pages.transaction),
    limit('documents held while posting', held.posting, grouping === 'day' ? pages.day + 1 : pages.transaction),
  ];
}

/** The lock is read again after a minute. */
const lockReads = ({ nightMs: took }: Figures): number => Math.ceil(took / 60_000);
