import { parseArgs } from 'node:util';
import { playRun, type Figures } from '../functions/src/testing/payout-bench/play.ts';
import { check, describe, describeChecks, duration, number } from '../functions/src/testing/payout-bench/report.ts';

/** `npm run bench -- payouts`: what a payout run costs for each coach. Exit code 1 when a limit is exceeded. */
const usage = `npm run bench -- payouts [--coaches 1000,10000] [--payments 4]

Plays whole payout runs on Firestore's in-memory twin and the Stripe emulator, in this process: lists who is due, queues
them, pays them, and prints what each coach costs in calls to Stripe, reads and writes, and what is held in memory.

  --coaches    how many, one run for each number (default 1000,10000)
  --payments   sales of each coach since the last run (default 4, at most 100)`;

function numbers(text: string, highest: number): number[] {
  const given = text.split(',').map(Number);
  if (given.every((value) => Number.isSafeInteger(value) && value > 0 && value <= highest)) return given;
  console.error(`Whole numbers from 1 to ${highest} are wanted, not "${text}".\n\n${usage}`);
  process.exit(2);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    coaches: { type: 'string', default: '1000,10000' },
    payments: { type: 'string', default: '4' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
if (positionals.join(' ') !== 'payouts') {
  console.error(usage);
  process.exit(2);
}
const sizes = numbers(values.coaches, 100_000);
const payments = numbers(values.payments, 100)[0] ?? 4;

const runs: Figures[] = [];
for (const coaches of sizes) {
  console.log(`A run of ${number(coaches)} coaches with ${payments} payments each`);
  const began = performance.now();
  runs.push(
    await playRun(coaches, payments, (line) =>
      console.log(`  ${duration((performance.now() - began) / 1000).padStart(9)}  ${line}`),
    ),
  );
}
console.log(`\n${describe(runs)}\n`);
let exceeded = false;
for (const run of runs) {
  const checks = check(run);
  exceeded ||= checks.some(({ held }) => !held);
  console.log(`Limits, with ${number(run.coaches)} coaches\n${describeChecks(checks)}\n`);
}
process.exitCode = exceeded ? 1 : 0;
