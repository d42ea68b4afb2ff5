import { differences } from './compare.ts';
import { stepNames } from './market.ts';
import { playWeeks } from './play.ts';

/** How many weeks are played in all: `PAYOUT_WEEKS`. Only that one: `PAYOUT_WEEK_SEED`. */
const { PAYOUT_WEEKS = '1000', PAYOUT_WEEK_SEED: only } = process.env;
/** From so many weeks on, all that can happen must have happened. */
const enough = 100;
/** Further failures tell little more. */
const mostFailures = 3;

const processes = ['event', 'task', 'sweep', 'run', 'sale', 'refund', 'session', 'payout'];
const faults = ['timeout_before', 'timeout_after_success', 'hang_after_success', 'error_500_before', 'error_500_after'];

/** Each must occur, or the weeks prove less than they say. */
const expected = [
  ...stepNames.map((name) => `step: ${name}`),
  ...processes.map((name) => `stopped: ${name}`),
  ...[...faults, 'rate_limit', 'POST payouts', 'POST refunds', 'POST transfers'].map((name) => `stripe: ${name}`),
  ...['lost', 'late', 'twice', 'sent again'].map((what) => `post: ${what}`),
  ...['completed', 'failed', 'canceled', 'never left'].map((status) => `payout: ${status}`),
  ...['before POST payouts', 'after POST payouts', 'enqueue', 'after transaction.commit'].map(
    (at) => `stopped at: ${at}`,
  ),
  ...['nothing', 'held', 'below minimum', 'debt'].map((what) => `left: ${what}`),
  ...['completed', 'no_show', 'canceled', 'canceled late'].map((how) => `session: ${how}`),
  ...['refund in part', 'refund in full', 'another attempt', 'asked again by the client'].map(
    (what) => `step: ${what}`,
  ),
  ...['platform payout: paid', 'dispute won', 'dispute lost', 'run twice', 'task twice', 'side by side', 'sweep'],
];

function seedsOf(part: number, parts: number): number[] {
  const seeds = only === undefined ? Array.from({ length: Number(PAYOUT_WEEKS) }, (_, at) => at + 1) : [Number(only)];
  if (!seeds.every((seed) => Number.isSafeInteger(seed) && seed > 0) || seeds.length === 0)
    throw new Error('PAYOUT_WEEKS and PAYOUT_WEEK_SEED are whole numbers above 0.');
  return seeds.filter((seed) => seed % parts === part % parts);
}

/** One part of the random weeks; the parts share the seeds, so that they can run side by side. */
export function describeWeeks(part: number, parts: number): void {
  const counts = new Map<string, number>();
  const count = (what: string) => void counts.set(what, (counts.get(what) ?? 0) + 1);
  const seeds = seedsOf(part, parts);

  it(`nobody is paid twice or short, whatever happens in a week: ${seeds.length} of them`, async () => {
    // The product makes errors by the thousand here, and nobody reads where they came from.
    if (only === undefined) Error.stackTraceLimit = 0;
    const failures: string[] = [];
    for (const seed of seeds) {
      const found = await differences(await playWeeks(seed, count));
      if (found.length > 0) failures.push(`PAYOUT_WEEK_SEED=${seed}:\n  ${found.join('\n  ')}`);
      if (failures.length >= mostFailures) break;
    }
    expect(failures).toEqual([]);
  }, 3_600_000);

  it('everything that can go wrong did', () => {
    console.info(JSON.stringify(Object.fromEntries([...counts].sort())));
    const missing = seeds.length < enough ? [] : expected.filter((what) => !counts.has(what));
    expect(missing).toEqual([]);
  });
}
