import type Stripe from 'stripe';
import type { Terms } from '../coaches/terms.ts';
import { trialBalance, type LedgerDocument } from '../ledger/ledger.ts';
import { processPayment } from '../payments/payments.service.ts';
import type { Payment } from '../payments/payments.ts';
import type { Context } from '../platform/context.ts';
import { balanceAt, onboardedCoach } from './coach.ts';
import { createTestFirestore } from './firestore.ts';
import { createTestWorld, type TestWorld } from './world.ts';

/** A customer and a coach with something sold between them, for tests of what follows a sale. */
export interface Shop extends TestWorld {
  ctx: Context;
  /** The coach's connected account. */
  account: string;
  /** Buys the coach's programme of 499 kr (fee 99), or another product; returns the payment's id. */
  buy(more?: { productId?: string; card?: string }): Promise<string>;
  read<T>(path: string): Promise<T | undefined>;
  all<T>(collection: string): Promise<T[]>;
  payment(id: string): Promise<Payment>;
  openFlags(): Promise<string[]>;
  fault(kind: string, path: string, more?: { method?: string; times?: number }): Promise<void>;
  clearFaults(): Promise<void>;
  /** The process dies at the database operation after so many more; nothing it does from then on has an effect. */
  dieAfter(operations: number): void;
  /** Started again. Tells whether it had died. */
  revive(): boolean;
  /** The ledger says what Stripe's balances say, to the öre. */
  expectBooksAsStripe(): Promise<void>;
}

const lisa = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };

/** Its money is there at once. */
const card = 'pm_card_bypassPending';

export async function openShop(terms: Partial<Terms> = {}): Promise<Shop> {
  let now = () => new Date();
  let left = Infinity;
  const live = () => {
    if (left <= 0) throw new Error('the process died here');
    left--;
  };
  const world = await createTestWorld({ db: createTestFirestore({ now: () => now(), onAwait: live }) });
  now = () => world.now();
  const { ctx, stripe } = world;
  const account = await onboardedCoach(world, 'karin', terms);
  const product = { kind: 'good', currency: 'SEK', vatRate: 25, active: true };
  await ctx.db.doc('products/programme').set({ ...product, name: 'Programme', amountMinor: 49_900, coachId: 'karin' });
  await ctx.db.doc('products/mat').set({ ...product, name: 'Yoga mat', amountMinor: 49_900 });
  let bought = 0;
  const all = async <T>(collection: string) =>
    (await ctx.db.collection(collection).get()).docs.map((doc) => doc.data() as T);
  const faultsUrl = `${world.stripeEmulator.url}/_emulator/faults`;
  const shop: Shop = {
    ...world,
    account,
    async buy({ productId = 'programme', card: paymentMethodId = card } = {}) {
      const input = { productId, requestId: `purchase-${++bought}`, paymentMethodId };
      const { paymentId } = await processPayment(ctx, lisa, input);
      await world.deliver();
      return paymentId;
    },
    read: async <T>(path: string) => (await ctx.db.doc(path).get()).data() as T | undefined,
    all,
    async payment(id) {
      const payment = await shop.read<Payment>(`payments/${id}`);
      if (!payment) throw new Error(`No payment ${id}.`);
      return payment;
    },
    openFlags: async () =>
      (await ctx.db.collection('flags').where('status', '==', 'open').get()).docs.map((doc) => doc.id),
    async fault(kind, path, { method = 'POST', times = 1 } = {}) {
      await world.control('stripe', 'faults', { kind, method, path, times });
    },
    async clearFaults() {
      await fetch(faultsUrl, { method: 'DELETE' });
    },
    dieAfter(operations) {
      left = operations;
    },
    revive() {
      const died = left <= 0;
      left = Infinity;
      return died;
    },
    async expectBooksAsStripe() {
      const books = trialBalance(await all<LedgerDocument>('ledger'));
      const there = { platform: await balanceAt(stripe), connected: await balanceAt(stripe, account) };
      expect({ platform: books.stripe_platform, connected: books.stripe_connected }).toEqual(there);
    },
  };
  // The platform has something of its own, so that refunds need not wait for money.
  await shop.buy({ productId: 'mat' });
  return shop;
}

/** Pays all that is loose on a connected account out, as the coach's bank day would, and books it. */
export async function payOutAll(shop: Shop): Promise<Stripe.Payout | undefined> {
  const { payCoach } = await import('../payouts/pay.service.ts');
  await payCoach(shop.ctx, { coachId: 'karin', currency: 'SEK', dueDate: '2026-11-23', runId: 'run-1' });
  await shop.deliver();
  return (await shop.stripe.payouts.list({}, { stripeAccount: shop.account })).data[0];
}
