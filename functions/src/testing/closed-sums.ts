import fc from 'fast-check';
import { Timestamp, type Firestore } from 'firebase-admin/firestore';
import { days, hours, minutes } from '../platform/clock.ts';
import { closeSum, recounted, replaceSum } from '../platform/closed-sums.ts';
import { deltas, trialBalance, type Deltas } from '../ledger/ledger.ts';
import { ledgerSums, platformTotals, stripeTotals, totalsBefore } from '../ledger/pages.store.ts';

const currencies = ['SEK', 'EUR'] as const;

type Step =
  /** Booked `lateMinutes` after it was planned, of something that occurred so many hours before. */
  | { do: 'book'; currency: (typeof currencies)[number]; occurredHoursAgo: number; lateMinutes: number; amount: number }
  | { do: 'wait'; hours: number }
  /** How many close at once, and after how many of their steps all of them die (never: null). */
  | { do: 'close'; atOnce: number; dieAt: number | null };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('book' as const),
      currency: fc.constantFrom(...currencies),
      occurredHoursAgo: fc.integer({ min: 0, max: 24 * 70 }),
      lateMinutes: fc.integer({ min: 0, max: 59 }),
      amount: fc.integer({ min: -1000, max: 1000 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      hours: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 24 * 50 })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('close' as const),
      atOnce: fc.integer({ min: 1, max: 3 }),
      dieAt: fc.option(fc.integer({ min: 0, max: 12 })),
    }),
  },
);

export interface SumsWorld {
  db: Firestore;
  /** From now on the database fails after so many operations; null: never. */
  dieAfter?: (operations: number | null) => void;
}

/** Whatever is closed and when: sums are those of all documents. The same cases run on the in-memory twin and on the emulator. */
export function describeClosedSums(name: string, makeWorld: () => SumsWorld, numRuns: number): void {
  describe(`closed sums of the ledger on ${name}`, () => {
    it('are the plain sums, with late documents, closings at once and closings that die', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 14 }),
          fc.integer({ min: 0, max: 24 * 90 }),
          async (steps, cutHours) => {
            await play(makeWorld(), steps, hours(cutHours));
          },
        ),
        { numRuns },
      );
    }, 300_000);

    it('that were kept wrong are found, and put right', async () => {
      const { db } = makeWorld();
      const now = new Date('2026-11-23T02:00:00Z');
      const sums = ledgerSums(db, 'SEK');
      for (const ago of [100, 50, 1]) await book(db, now.getTime() - days(ago), now.getTime() - days(ago), 'SEK', ago);
      await closeSum(sums, now);
      expect(await recounted(sums)).toBeUndefined();
      await db.doc('closedSums/ledger_SEK').update({ 'sums.stripe_platform': 7 });
      const wrong = await recounted(sums);
      expect([wrong?.kept.sums.stripe_platform, wrong?.right.sums.stripe_platform]).toEqual([7, 151]);
      if (!wrong) return;
      await replaceSum(sums, wrong.kept, wrong.right);
      // Whoever began before that to close on top of the wrong one.
      await replaceSum(sums, wrong.kept, { ...wrong.kept, count: 9 });
      expect(await recounted(sums)).toBeUndefined();
      expect((await totalsBefore(db, now, 'SEK')).stripe_platform).toBe(151);
    });
  });
}

interface Booked {
  occurredMs: number;
  currency: string;
  deltas: Deltas;
}

let made = 0;

async function book(
  db: Firestore,
  createdMs: number,
  occurredMs: number,
  currency: string,
  amount: number,
): Promise<Booked> {
  const moved = deltas({ stripe_platform: amount, stripe_connected: 2 * amount, losses: -3 * amount });
  const id = `document${++made}`;
  const [occurredAt, createdAt] = [Timestamp.fromMillis(occurredMs), Timestamp.fromMillis(createdMs)];
  await db
    .doc(`ledger/${id}`)
    .set({ id, kind: 'sale', currency, deltas: moved, occurredAt, createdAt, voucherId: null });
  return { occurredMs, currency, deltas: moved };
}

async function play({ db, dieAfter }: SumsWorld, steps: readonly Step[], cutAgoMs: number): Promise<void> {
  let nowMs = Date.parse('2026-11-23T02:00:00Z');
  const booked: Booked[] = [];
  for (const each of steps) {
    if (each.do === 'wait') nowMs += hours(each.hours);
    if (each.do === 'book') {
      const { currency, amount, lateMinutes, occurredHoursAgo } = each;
      booked.push(await book(db, nowMs - minutes(lateMinutes), nowMs - hours(occurredHoursAgo), currency, amount));
    }
    if (each.do === 'close') {
      dieAfter?.(each.dieAt);
      const closing = Array.from({ length: each.atOnce }, () =>
        Promise.all(currencies.map((currency) => closeSum(ledgerSums(db, currency), new Date(nowMs)))),
      );
      const ends = await Promise.allSettled(closing);
      dieAfter?.(null);
      if (each.dieAt === null) expect(ends.map(({ status }) => status)).toEqual(closing.map(() => 'fulfilled'));
    }
    for (const currency of currencies) await expectPlain(db, booked, currency, nowMs - cutAgoMs);
  }
  for (const currency of currencies) expect(await recounted(ledgerSums(db, currency))).toBeUndefined();
}

async function expectPlain(db: Firestore, booked: readonly Booked[], currency: string, cutMs: number): Promise<void> {
  const mine = booked.filter((one) => one.currency === currency);
  const all = trialBalance(mine);
  expect(await totalsBefore(db, new Date(cutMs), currency)).toEqual(
    trialBalance(mine.filter((one) => one.occurredMs < cutMs)),
  );
  const stripe = await db.runTransaction((tx) => stripeTotals(db, tx, currency, 'all'), { readOnly: true });
  expect(stripe).toEqual({ count: mine.length, stripeMinor: all.stripe_platform + all.stripe_connected });
  const { connected_reserve, ...platform } = await platformTotals(db, currency);
  expect(connected_reserve).toBe(0);
  expect({ ...all, ...platform }).toEqual(all);
}
