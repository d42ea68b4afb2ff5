import fc from 'fast-check';
import type { LedgerDocument } from '../../ledger/ledger.ts';
import type { Meaning } from '../../ledger/own.ts';
import { days } from '../../platform/clock.ts';
import { explainedTwice } from '../../reconciliation/invariants.ts';
import { reconcileDay } from '../../testing/night.ts';
import { openShop, type Shop } from '../../testing/shop.ts';
import { syncByNight } from '../accounting.service.ts';
import { collectOwn } from './collect.service.ts';
import { explainTransaction } from './explain.service.ts';
import { syncAfterStripe } from './sync.service.ts';
import { treatmentOf } from './stripe-own.ts';

const anna = { uid: 'anna', email: 'anna@example.se', name: 'Anna', coach: false, admin: true };

const types = [
  'stripe_fee',
  'tax_fee',
  'reserved_funds',
  'reserve_release',
  'topup',
  'topup_reversal',
  'adjustment',
  'new',
];
const meanings: readonly Meaning[] = ['fee', 'reserve', 'topup', 'loss', 'coach'];

const movement = fc.record({
  do: fc.constant('move' as const),
  type: fc.constantFrom(...types),
  amount: fc.integer({ min: -50_000, max: 50_000 }).filter((amount) => amount !== 0),
  fee: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 500 }) }),
  coachs: fc.boolean(),
});
const step = fc.oneof(
  { weight: 6, arbitrary: movement },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('collect' as const, 'prove' as const, 'wait' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('die' as const),
      after: fc.integer({ min: 1, max: 120 }),
      at: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('explain' as const), which: fc.nat(), as: fc.constantFrom(...meanings) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Made {
  id: string;
  type: string;
  stripeAccountId?: string;
}

let requests = 0;

/** Refusals (explained already, the wrong account) are part of the game. */
const explain = (shop: Shop, { id, stripeAccountId }: Made, as: Meaning) =>
  explainTransaction(shop.ctx, anna, {
    balanceTransactionId: id,
    stripeAccountId,
    as,
    reason: 'So it is',
    requestId: `request-${++requests}`,
  }).catch(() => undefined);

async function play(shop: Shop, made: Made[], one: Step): Promise<void> {
  if (one.do === 'move') {
    const { type, amount, fee, coachs } = one;
    const account = coachs ? { account: shop.account } : {};
    const order = { type, amount, fee, ...account };
    const { id } = await shop.control<{ id: string }>('stripe', 'balance_transactions', order);
    made.push({ id, type, ...(coachs ? { stripeAccountId: shop.account } : {}) });
  } else if (one.do === 'collect') {
    await Promise.all([collectOwn(shop.ctx), collectOwn(shop.ctx)]);
  } else if (one.do === 'prove') {
    await reconcileDay(shop, shop.now());
  } else if (one.do === 'wait') {
    await shop.advance(days(1));
  } else if (one.do === 'die') {
    shop.dieAfter(one.after);
    await (one.at ? collectOwn(shop.ctx) : reconcileDay(shop, shop.now())).catch(() => undefined);
    shop.revive();
  } else if (one.do === 'explain') {
    const found = made[one.which % Math.max(1, made.length)];
    if (found) await explain(shop, found, one.as);
  }
}

it('whatever Stripe moves, and whenever it is looked at, explained or cut short, each is booked once and all of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
      const shop = await openShop();
      try {
        const made: Made[] = [];
        for (const one of steps) await play(shop, made, one);
        await shop.advance(days(1));
        await syncAfterStripe(shop.ctx, () => syncByNight(shop.ctx, shop.now()));
        await reconcileDay(shop, shop.now());
        // What is left is a person's, and each of it has its flag.
        const ledger = await shop.all<LedgerDocument>('ledger');
        const inBooks = new Set(ledger.flatMap(({ balanceTransactionIds }) => balanceTransactionIds));
        const left = made.filter(({ id }) => !inBooks.has(id));
        for (const { type, stripeAccountId } of left) {
          expect(treatmentOf({ type }, stripeAccountId !== undefined)).toBe('person');
        }
        const flags = (await shop.openFlags()).filter((id) => id.startsWith('stripe-movement_'));
        expect(flags.sort()).toEqual(left.map(({ id }) => `stripe-movement_${id}`).sort());
        for (const one of left) await explain(shop, one, one.stripeAccountId ? 'coach' : 'loss');
        await shop.advance(days(1));
        expect(await reconcileDay(shop, shop.now())).toMatchObject({ ok: true, differences: [] });
        await shop.expectBooksAsStripe();
        expect(explainedTwice(await shop.all<LedgerDocument>('ledger'))).toEqual([]);
        expect((await shop.openFlags()).filter((id) => id.startsWith('stripe-movement_'))).toEqual([]);
      } finally {
        await shop.close();
      }
    }),
    { numRuns: 12 },
  );
}, 120_000);
