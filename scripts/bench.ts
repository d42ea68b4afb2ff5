import { parseArgs } from 'node:util';
import { playNight, type Figures as Night, type Grouping } from '../functions/src/testing/books-bench/play.ts';
import * as books from '../functions/src/testing/books-bench/report.ts';
import { playRun, type Figures as Run } from '../functions/src/testing/payout-bench/play.ts';
import * as payouts from '../functions/src/testing/payout-bench/report.ts';

const { duration, number } = payouts;

/** `npm run bench`: what a payout run costs for each coach, and a night's books a day. Exit code 1 when a limit is exceeded. */
const usage = `npm run bench -- payouts [--coaches 1000,10000] [--payments 4]
npm run bench -- accounting [--documents 10000]

payouts plays whole payout runs on Firestore's in-memory twin and the Stripe emulator, in this process: lists who is due,
queues them, pays them, and prints what each coach costs in calls to Stripe, reads and writes, and what is held in memory.
accounting plays the night of a day's ledger on the twin and the Fortnox emulator, with a voucher a day and kind and with
one a document, at the queue's own rate, and prints calls of Fortnox, reads, writes and seconds for each 1,000 documents.

  --coaches    how many, one run for each number (default 1000,10000)
  --payments   sales of each coach since the last run (default 4, at most 100)
  --documents  of the day, at least 20 (default 10000)`;

function numbers(text: string, highest: number, lowest = 1): number[] {
  const given = text.split(',').map(Number);
  if (given.every((value) => Number.isSafeInteger(value) && value >= lowest && value <= highest)) return given;
  console.error(`Whole numbers from ${lowest} to ${highest} are wanted, not "${text}".\n\n${usage}`);
  process.exit(2);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    coaches: { type: 'string', default: '1000,10000' },
    payments: { type: 'string', default: '4' },
    documents: { type: 'string', default: '10000' },
    help: { type: 'boolean', default: false },
  },
});
const benches: Record<string, () => Promise<boolean>> = { payouts: benchPayouts, accounting: benchAccounting };
const bench = benches[positionals.join(' ')];
if (values.help) {
  console.log(usage);
  process.exit(0);
}
if (!bench) {
  console.error(usage);
  process.exit(2);
}
process.exitCode = (await bench()) ? 0 : 1;

/** Says what happens, and how long after the beginning. */
function teller(): (line: string) => void {
  const began = performance.now();
  return (line) => console.log(`  ${duration((performance.now() - began) / 1000).padStart(9)}  ${line}`);
}

function tell(title: string, checks: readonly payouts.Check[]): boolean {
  console.log(`${title}\n${payouts.describeChecks(checks)}\n`);
  return checks.every(({ held }) => held);
}

async function benchPayouts(): Promise<boolean> {
  const sizes = numbers(values.coaches, 100_000);
  const payments = numbers(values.payments, 100)[0] ?? 4;
  const runs: Run[] = [];
  for (const coaches of sizes) {
    console.log(`A run of ${number(coaches)} coaches with ${payments} payments each`);
    runs.push(await playRun(coaches, payments, teller()));
  }
  console.log(`\n${payouts.describe(runs)}\n`);
  const kept = runs.map((run) => tell(`Limits, with ${number(run.coaches)} coaches`, payouts.check(run)));
  return kept.every(Boolean);
}

async function benchAccounting(): Promise<boolean> {
  const documents = numbers(values.documents, 20_000, 20)[0] ?? 10_000;
  const nights: Night[] = [];
  for (const grouping of ['day', 'transaction'] satisfies Grouping[]) {
    console.log(`A night of ${number(documents)} documents, vouchers by ${grouping}`);
    nights.push(await playNight(documents, grouping, teller()));
  }
  console.log(`\n${books.describe(nights)}\n`);
  const kept = nights.map((night) =>
    tell(`Limits, vouchers by ${night.grouping}\n${books.calculation(night)}`, books.check(night)),
  );
  return kept.every(Boolean);
}
