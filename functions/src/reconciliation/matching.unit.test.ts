import fc from 'fast-check';
import { days, hours } from '../platform/clock.ts';
import { Matcher, type Entry, type Movement } from './matching.ts';

const cutMs = Date.parse('2026-11-20T23:00:00Z');
const fromMs = cutMs - days(3);

interface Deal {
  entries: Entry[];
  movements: Movement[];
}

/** A sale with its fee as Stripe books it on the platform: charge, transfer out, application fee in. */
function sale(
  id: string,
  occurredMs: number,
  gross: number,
  share: number,
  fee: number,
  gaps: readonly number[] = [0, 0, 0],
): Deal {
  const nets = [gross - fee, -gross, gross - share];
  const ids = nets.map((_, i) => `txn_${id}_${i}`);
  const currency = 'SEK';
  return {
    entries: [
      { id: `${id}:sale`, isCompanion: false, occurredMs, currency, amountMinor: gross - share, transactionIds: ids },
      { id: `${id}:fee`, isCompanion: true, occurredMs, currency, amountMinor: -fee, transactionIds: ids.slice(0, 1) },
    ],
    movements: nets.map((netMinor, i) => ({
      id: ids[i] ?? '',
      createdMs: occurredMs + (gaps[i] ?? 0),
      netMinor,
      currency,
    })),
  };
}

function run(deals: readonly Deal[], settleEvery = 1): Matcher {
  const matcher = new Matcher('platform', { fromMs, cutMs });
  const entries = deals.flatMap((deal) => deal.entries).sort((a, b) => b.occurredMs - a.occurredMs);
  const movements = deals.flatMap((deal) => deal.movements).sort((a, b) => b.createdMs - a.createdMs);
  movements.forEach((movement, i) => {
    // Documents are read a day ahead of the movements they explain.
    for (let next = entries[0]; next && next.occurredMs >= movement.createdMs - days(1); next = entries[0]) {
      matcher.addEntry(next);
      entries.shift();
    }
    matcher.addMovement(movement);
    if (i % settleEvery === 0) matcher.settleDownTo(movement.createdMs);
  });
  entries.forEach((entry) => matcher.addEntry(entry));
  matcher.finish();
  return matcher;
}

const deals = fc
  .uniqueArray(
    fc.record({
      id: fc.integer({ min: 0, max: 9999 }),
      at: fc.integer({ min: -days(4) / 1000, max: days(1) / 1000 }),
      gross: fc.integer({ min: 300, max: 1_000_000 }),
      gaps: fc.tuple(fc.nat(60), fc.nat(60), fc.nat(60)),
    }),
    { selector: ({ id }) => id, maxLength: 40 },
  )
  .map((some) =>
    some.map(({ id, at, gross, gaps }) =>
      sale(
        String(id),
        cutMs + at * 1000,
        gross,
        Math.floor(gross * 0.8),
        180,
        gaps.map((seconds) => seconds * 1000),
      ),
    ),
  );

describe('matching balance transactions with the ledger', () => {
  it('finds nothing wrong where nothing is, and sums what belongs before and after the cut', () => {
    fc.assert(
      fc.property(deals, fc.integer({ min: 1, max: 10 }), (some, settleEvery) => {
        const matcher = run(some, settleEvery);
        expect(matcher.differences).toEqual([]);
        const net = (wanted: (ms: number) => boolean) =>
          some
            .flatMap((deal) => deal.entries)
            .filter((entry) => wanted(entry.occurredMs))
            .reduce((total, entry) => total + entry.amountMinor, 0);
        const tally = matcher.tallies.get('SEK') ?? { beforeMinor: 0, afterMinor: 0 };
        expect(tally.beforeMinor).toBe(net((ms) => ms >= fromMs && ms < cutMs));
        expect(tally.afterMinor).toBe(net((ms) => ms >= cutMs));
      }),
    );
  });

  it('names whatever is taken away, on either side, and nothing else', () => {
    fc.assert(
      fc.property(deals, fc.nat(), fc.boolean(), (some, pick, takeEntry) => {
        const inside = some.filter((deal) => {
          const at = deal.entries[0]?.occurredMs ?? 0;
          return at >= fromMs + hours(1) && at < cutMs - hours(1);
        });
        const victim = inside[pick % inside.length];
        if (!victim) return;
        const others = some.filter((deal) => deal !== victim);
        const left: Deal = takeEntry
          ? { entries: [], movements: victim.movements }
          : { entries: victim.entries, movements: [] };
        const { differences } = run([...others, left]);
        const named = differences.flatMap(({ ids }) => ids).sort();
        const expected = takeEntry ? victim.movements : victim.entries;
        expect(named).toEqual(expected.map(({ id }) => id).sort());
        const kinds = new Set(differences.map(({ kind }) => kind));
        expect([...kinds]).toEqual([takeEntry ? 'transaction-unexplained' : 'entry-without-transaction']);
      }),
    );
  });

  it('keeps a sale a second before midnight together with its transfer a second after', () => {
    const matcher = run([sale('late', cutMs - 1000, 49900, 40000, 929, [0, 2000, 2000])]);
    expect(matcher.differences).toEqual([]);
    expect(matcher.tallies.get('SEK')).toMatchObject({ beforeMinor: 9900 - 929, afterMinor: 0 });
  });

  it('says where the amounts differ, with all ids it is about', () => {
    const wrong = sale('ch', cutMs - hours(5), 49900, 40000, 929);
    const [charge, ...rest] = wrong.movements;
    if (!charge) throw new Error('a sale has a charge');
    const { differences } = run([
      { entries: wrong.entries, movements: [{ ...charge, netMinor: charge.netMinor - 1 }, ...rest] },
    ]);
    expect(differences).toEqual([
      {
        kind: 'amounts-differ',
        account: 'platform',
        currency: 'SEK',
        ids: ['ch:sale', 'ch:fee', 'txn_ch_0', 'txn_ch_1', 'txn_ch_2'],
        ledgerMinor: 8971,
        otherMinor: 8970,
      },
    ]);
  });

  it('tells of a balance transaction that two documents explain, but not of the fee beside its sale', () => {
    const one = sale('ch', cutMs - hours(5), 49900, 40000, 929);
    const [first] = one.entries;
    if (!first) throw new Error('a sale has a document');
    const twice: Deal = {
      ...one,
      entries: [...one.entries, { ...first, id: 'ch_again:sale', transactionIds: ['txn_ch_0'] }],
    };
    expect(run([one]).differences).toEqual([]);
    expect(run([twice]).differences.map(({ kind }) => kind)).toContain('transaction-explained-twice');
  });

  it('holds no more than a few days of a long history', () => {
    const matcher = new Matcher('platform', { fromMs: Number.NEGATIVE_INFINITY, cutMs });
    let most = 0;
    for (let hour = 0; hour < 24 * 60; hour += 1) {
      const { entries, movements } = sale(String(hour), cutMs - hours(hour + 1), 49900, 40000, 929);
      entries.forEach((entry) => matcher.addEntry(entry));
      movements.forEach((movement) => matcher.addMovement(movement));
      matcher.settleDownTo(movements[0]?.createdMs ?? 0);
      most = Math.max(most, matcher.held);
    }
    matcher.finish();
    expect(matcher.differences).toEqual([]);
    // Two documents and a group for each of the 48 hours behind.
    expect(most).toBeLessThanOrEqual(3 * 49);
  });
});

it('a movement may be named by what moved, where only the other side of it was read', () => {
  const occurredMs = cutMs - hours(2);
  const share = { id: 'ch_1:sale', isCompanion: false, occurredMs, currency: 'SEK', amountMinor: 40_000 };
  const moved = { id: 'txn_coach', sourceId: 'py_1', createdMs: occurredMs, netMinor: 40_000, currency: 'SEK' };
  const entries = [{ ...share, transactionIds: ['txn_platform', 'py_1'] }];
  const matched = run([{ entries, movements: [moved] }]);
  expect(matched.differences).toEqual([]);
  expect(matched.tallies.get('SEK')).toMatchObject({ beforeMinor: 40_000, movements: 1 });
  const stranger = run([{ entries, movements: [{ ...moved, sourceId: 'py_2' }] }]);
  expect(stranger.differences.map(({ kind }) => kind).sort()).toEqual([
    'entry-without-transaction',
    'transaction-unexplained',
  ]);
});

describe('at the very instant', () => {
  const odd = (id: string, createdMs: number): Deal => ({
    entries: [],
    movements: [{ id, createdMs, netMinor: 100, currency: 'SEK' }],
  });

  it('of the cut, a movement is for the next night; of the beginning, it is for this one', () => {
    const { tallies, differences } = run([odd('txn_cut', cutMs), odd('txn_from', fromMs), odd('txn_old', fromMs - 1)]);
    expect(differences.map(({ ids }) => ids)).toEqual([['txn_from']]);
    expect(tallies.get('SEK')).toEqual({ beforeMinor: 100, afterMinor: 100, movements: 2 });
  });

  it('of the cut, a document without a movement is for the next night', () => {
    const of = (id: string, occurredMs: number): Entry => ({
      id,
      isCompanion: false,
      occurredMs,
      currency: 'SEK',
      amountMinor: 100,
      transactionIds: [`txn_${id}`],
    });
    const entries = [of('cut', cutMs), of('from', fromMs), of('old', fromMs - 1)];
    expect(run([{ entries, movements: [] }]).differences.map(({ ids }) => ids)).toEqual([['from']]);
  });
});

it('names a fee that is on one balance transaction twice', () => {
  const deal = sale('ch', cutMs - hours(2), 50_000, 40_000, 180);
  const [, fee] = deal.entries;
  if (!fee) throw new Error('a sale has a fee');
  deal.entries.push({ ...fee, id: 'ch:fee_again', amountMinor: 0 });
  expect(run([deal]).differences).toMatchObject([
    { kind: 'transaction-explained-twice', ids: ['txn_ch_0', 'ch:sale', 'ch:fee', 'ch:fee_again'] },
  ]);
});
