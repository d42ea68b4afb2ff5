import { compare } from './compare.ts';
import { playHistory } from './history.ts';
import { kinds, kindsOf } from './kinds.ts';

/** How many test files share the histories, so that Jest's workers do. */
const parts = 4;
/** Of this many histories of one part every kind of thing must have happened in some. */
const enough = 250;

/** `HISTORIES`: how many in all; `HISTORY_SEED`: only that one. */
function seedsOf(part: number): number[] {
  const { HISTORIES = '1000', HISTORY_SEED } = process.env;
  const all = HISTORY_SEED ? [Number(HISTORY_SEED)] : Array.from({ length: Number(HISTORIES) }, (_, at) => at + 1);
  if (!all.every((seed) => Number.isSafeInteger(seed) && seed > 0))
    throw new Error('HISTORIES and HISTORY_SEED are whole numbers above 0.');
  return all.filter((seed) => seed % parts === part - 1);
}

/** One part of the random histories across all rooms of payments: each ends where Stripe does, to the öre. */
export function describeHistories(part: 1 | 2 | 3 | 4): void {
  const seeds = seedsOf(part);

  it(`whatever happens, and however its news come, we end where Stripe does: ${seeds.length} histories`, async () => {
    // Stripe's package asks for a stack at every call, which Jest then maps: an eighth of all time.
    if (!process.env.HISTORY_SEED) Error.stackTraceLimit = 1;
    const counts = new Map<string, number>(kinds.map((kind) => [kind, 0]));
    for (const seed of seeds) {
      for (const kind of await endsAsStripe(seed)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    console.info([...counts].map(([kind, count]) => `${String(count).padStart(5)}  ${kind}`).join('\n'));
    const never = [...counts].filter(([, count]) => count === 0).map(([kind]) => kind);
    expect(seeds.length < enough ? [] : never).toEqual([]);
  }, 900_000);
}

async function endsAsStripe(seed: number): Promise<ReadonlySet<string>> {
  const replay = `Play it again: HISTORY_SEED=${seed} npm run unit -- payments/histories`;
  try {
    const history = await playHistory(seed);
    const differences = await compare(history.stage);
    if (differences.length > 0) throw new Error([...differences, 'After:', ...history.log].join('\n'));
    return await kindsOf(history);
  } catch (error) {
    throw new Error(`History ${seed}: ${error instanceof Error ? error.message : String(error)}\n${replay}`, {
      cause: error,
    });
  }
}
