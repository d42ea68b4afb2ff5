import { Timestamp, type Firestore } from 'firebase-admin/firestore';
import { days } from '../platform/clock.ts';
import { closeSum } from '../platform/closed-sums.ts';
import { createTestFirestore } from '../testing/firestore.ts';
import { meter, newCost } from '../testing/meter.ts';
import { describeClosedSums, type SumsWorld } from '../testing/closed-sums.ts';
import { deltas } from './ledger.ts';
import { ledgerSums, platformTotals, stripeTotals, totalsBefore } from './pages.store.ts';

function mortalWorld(): SumsWorld {
  let left: number | null = null;
  const onAwait = () => {
    if (left !== null && left-- <= 0) throw new Error('died');
  };
  return { db: createTestFirestore({ onAwait }), dieAfter: (operations) => (left = operations) };
}

describeClosedSums('the in-memory twin', mortalWorld, 500);

describe('what a sum over the whole ledger costs', () => {
  const first = Date.parse('2026-01-01T12:00:00Z');
  const perDay = 1_000;

  async function aged(age: number): Promise<{ db: Firestore; now: Date }> {
    const db = createTestFirestore();
    for (let day = 0; day < age; day++) {
      const at = Timestamp.fromMillis(first + days(day));
      const batch = db.batch();
      for (let i = 0; i < perDay; i++) {
        const moved = deltas({ stripe_platform: 1 });
        batch.set(db.doc(`ledger/${day}_${i}`), { currency: 'SEK', occurredAt: at, createdAt: at, deltas: moved });
      }
      await batch.commit();
    }
    return { db, now: new Date(first + days(age - 1)) };
  }

  const reads = async ({ db, now }: Awaited<ReturnType<typeof aged>>) => {
    // Last night, and the day since.
    await closeSum(ledgerSums(db, 'SEK'), new Date(now.getTime() - days(1)));
    const cost = newCost();
    await meter(db).measure(cost, async () => {
      await totalsBefore(db, now, 'SEK');
      await platformTotals(db, 'SEK');
      await db.runTransaction((tx) => stripeTotals(db, tx, 'SEK', 'all'), { readOnly: true });
    });
    return Object.fromEntries(cost.reads);
  };

  it('is that of a day or two, however old the ledger is', async () => {
    const young = await reads(await aged(3));
    expect(await reads(await aged(12))).toEqual(young);
    expect(young['ledger (sum)']).toBeLessThan(30);
  });
});
