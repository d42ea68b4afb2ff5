import { playRun } from './play.ts';
import { check, describe as describeRuns, describeChecks, duration, number } from './report.ts';

it('a small run keeps every limit, and says so', async () => {
  const said: string[] = [];
  const run = await playRun(60, 3, (line) => said.push(line));
  expect(run.outcomes).toEqual(
    new Map([
      ['settled', 54],
      ['nothing', 6],
    ]),
  );
  expect(said.at(-1)).toBe('60 of 60 coaches answered for');
  const checks = check(run);
  expect(describeChecks(checks)).not.toContain('EXCEEDED');
  expect(checks.every(({ held }) => held)).toBe(true);
  expect(describeRuns([run])).toMatch(/paid: coaches +54\n +calls to Stripe +2,00 \(2\)/);
}, 60_000);

it('a limit that is exceeded is named', async () => {
  const run = await playRun(10, 1, () => undefined);
  const worse = check({
    ...run,
    held: { listing: 201, paying: 0 },
    atOneEndpoint: 2,
    progress: { waiting: 1, paid: 7, nothing: 2 },
  });
  expect(worse.filter(({ held }) => !held).map(({ by }) => by)).toEqual([
    '201 of at most 200',
    '7 paid, 2 explained, 1 waiting',
    '40 of at most 25',
  ]);
  expect(describeChecks(worse)).toContain('✗ EXCEEDED');
});

it('numbers and durations as people write them', () => {
  expect([number(12_345), number(1.5, 2)]).toEqual(['12\u00a0345', '1,50']);
  expect([0.638, 12, 60, 500].map(duration)).toEqual(['0,64 s', '12 s', '1 min', '8 min 20 s']);
});
