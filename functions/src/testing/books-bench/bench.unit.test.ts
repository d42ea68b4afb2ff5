import { describeChecks } from '../payout-bench/report.ts';
import { playNight, type Figures, type Grouping } from './play.ts';
import { calculation, check, describe as describeNights } from './report.ts';

it.each<[Grouping, number, number]>([
  ['day', 20, 44],
  ['transaction', 116, 122],
])(
  'a small night by %s keeps every limit, and says so',
  async (grouping, vouchers, calls) => {
    const said: string[] = [];
    const night = await playNight(120, grouping, (line) => said.push(line));
    expect(said[0]).toBe(`120 documents have become ${vouchers} vouchers; ${vouchers} tasks queued`);
    expect(night).toMatchObject({
      vouchers,
      finished: vouchers,
      calls: { inAll: calls, turnedAway: 0, first: 7 },
    });
    const checks = check(night);
    expect(describeChecks(checks)).not.toContain('EXCEEDED');
    expect(describeNights([night])).toMatch(new RegExp(`POST /3/vouchers +${vouchers}\\n`));
    expect(calculation(night)).toContain(`${vouchers} vouchers, 1 at once, at most 2 a second`);
    if (grouping === 'day') expectNamed(night);
  },
  60_000,
);

/** A limit that is exceeded. */
function expectNamed(night: Figures): void {
  const calls = { ...night.calls, inAll: 61, turnedAway: 1 };
  const worse = check({ ...night, calls, finished: 19, nightMs: 7_200_001 });
  expect(worse.filter(({ held }) => !held).map(({ by }) => by)).toEqual([
    '19 of 20, 0 failed',
    '61 of at most 60',
    '1 of at most 0',
    '120 min of 120 min',
  ]);
}
