import { Timestamp } from 'firebase-admin/firestore';
import Stripe from 'stripe';
import { completeOnboarding, createInProcessHttpClient, createStripeCore } from '../../../../emulators/stripe/index.ts';
import { newCoach } from '../../coaches/coaches.ts';
import { newEarning } from '../../coaches/earnings.ts';
import { destinationSale } from '../../ledger/ledger.ts';
import { days } from '../../platform/clock.ts';
import type { Context } from '../../platform/context.ts';
import { silentLog } from '../../platform/log.ts';
import { minor } from '../../platform/money.ts';
import type { TaskPayloads } from '../../platform/tasks.ts';
import { createTestFirestore } from '../firestore.ts';
import { meter, type Meter } from '../meter.ts';
import { testConfig } from '../world.ts';
import { withoutBooks } from '../without-books.ts';

export type PayTask = TaskPayloads['payCoach'];

/** How a coach stands when the run comes. */
export type Kind = 'paid' | 'sold nothing' | 'below minimum' | 'on hold';

/** Of fifty coaches one is of each kind that is not paid. */
const unpaid: readonly Kind[] = ['sold nothing', 'below minimum', 'on hold'];
export const kindOf = (n: number): Kind => unpaid[n % 50] ?? 'paid';

/** A marketplace before its weekly run: the product on Firestore's in-memory twin and the Stripe emulator in this process. */
export interface Market {
  ctx: Context;
  gauge: Meter;
  /** What the run has queued and nobody has taken. */
  tasks: PayTask[];
  kinds: Map<string, Kind>;
  /** When the run is: a Monday, 08:00 in Stockholm. */
  monday: Date;
  /** Days pass, for Stripe and for the product; what Stripe then tells of these accounts' payouts. */
  payoutNews(accounts: ReadonlySet<string>, daysLater: number): Stripe.Event[];
}

export interface MarketHooks {
  onRead: (data: object) => void;
  /** The product waits for Firestore, for Stripe or for the queue. */
  onWait: () => Promise<void>;
  onProgress: (done: number) => void;
}

const monday = new Date('2026-11-23T07:00:00Z');
const soldAt = new Date('2026-11-10T10:00:00Z');
const sale = { grossMinor: 49_900, coachMinor: 40_000, feeMinor: 9_900 };
const small = { grossMinor: 1_900, coachMinor: 1_600, feeMinor: 300 };
type Sold = typeof sale;

const form = {
  firstName: 'Karin',
  lastName: 'Coach',
  email: 'karin@example.se',
  phone: '+46701234567',
  birthDate: '1985-04-12',
  street: 'Storgatan 1',
  postalCode: '11122',
  city: 'Stockholm',
  iban: 'SE3550000000054910000003',
};

export async function openMarket(coaches: number, payments: number, hooks: MarketHooks): Promise<Market> {
  const core = createStripeCore({ clock: () => monday.getTime() / 1000, seed: 1, switches: { deliveries: 'manual' } });
  const now = () => new Date(core.now() * 1000);
  const db = createTestFirestore({ now, onAwait: () => hooks.onWait() });
  const gauge = meter(db, hooks.onRead);
  const http = createInProcessHttpClient(core, {
    pause: async (moment, { method, path }) => {
      const cost = gauge.current();
      if (moment === 'after' || !cost) return;
      cost.stripe.push(`${method} ${path.split('?')[0]}`);
      await hooks.onWait();
    },
  });
  const stripe = new Stripe('sk_test_bench', {
    // The emulators' own copy of the package has types of its own.
    httpClient: http,
    telemetry: false,
    maxNetworkRetries: 0,
  });
  const tasks: PayTask[] = [];
  const ctx: Context = {
    config: { ...testConfig, stripeApiBase: core.world.publicUrl, fortnoxApiBase: '' },
    clock: { now },
    db,
    stripe: async () => stripe,
    ...withoutBooks(),
    tasks: {
      async enqueue(_name, _id, payload) {
        const cost = gauge.current();
        if (cost) cost.tasks++;
        tasks.push(payload as PayTask);
        await hooks.onWait();
      },
    },
    log: silentLog,
  };
  const kinds = new Map<string, Kind>();
  let funds = 0;
  for (let n = 0; n < coaches; n++) {
    const coachId = `coach-${String(n).padStart(6, '0')}`;
    const kind = kindOf(n);
    kinds.set(coachId, kind);
    const sold: Sold[] =
      kind === 'sold nothing' ? [] : kind === 'below minimum' ? [small] : Array.from({ length: payments }, () => sale);
    const share = sold.reduce((sum, { coachMinor }) => sum + coachMinor, 0);
    if (funds < share) funds += await fund(stripe);
    funds -= share;
    const account = await onboard(stripe, (id) => completeOnboarding(core.world, id, form));
    if (share > 0) await stripe.transfers.create({ amount: share, currency: 'sek', destination: account });
    await writeCoach(ctx, coachId, account, kind, sold);
    if ((n + 1) % 500 === 0) hooks.onProgress(n + 1);
  }
  return {
    ctx,
    gauge,
    tasks,
    kinds,
    monday,
    payoutNews(accounts, daysLater) {
      core.advance(days(daysLater) / 1000);
      const events = core.world.events.values() as Stripe.Event[];
      return events.filter(
        ({ type, account }) => type.startsWith('payout.') && account !== undefined && accounts.has(account),
      );
    },
  };
}

/** The platform's own money, as much as one card payment can bring. */
async function fund(stripe: Stripe): Promise<number> {
  const amount = 99_000_000;
  await stripe.paymentIntents.create({
    amount,
    currency: 'sek',
    payment_method: 'pm_card_bypassPending',
    confirm: true,
    return_url: 'http://127.0.0.1/',
  });
  return Math.floor(amount * 0.98);
}

async function onboard(stripe: Stripe, complete: (account: string) => void): Promise<string> {
  const { id } = await stripe.accounts.create({
    country: 'SE',
    controller: {
      fees: { payer: 'application' },
      losses: { payments: 'application' },
      stripe_dashboard: { type: 'express' },
      requirement_collection: 'stripe',
    },
    capabilities: { transfers: { requested: true } },
    settings: { payouts: { schedule: { interval: 'manual' } } },
  });
  complete(id);
  return id;
}

/** As onboarding and the sales' events leave it. */
async function writeCoach(
  ctx: Context,
  coachId: string,
  account: string,
  kind: Kind,
  sold: readonly Sold[],
): Promise<void> {
  const at = Timestamp.fromDate(soldAt);
  const batch = ctx.db.batch();
  batch.set(ctx.db.doc(`coaches/${coachId}`), {
    ...newCoach(testConfig, at),
    stripeAccountId: account,
    accountStatus: 'active',
    chargesEnabled: true,
    payoutsEnabled: true,
    acceptsPayments: true,
    ...(kind === 'on hold' ? { hold: { reason: 'Under review', since: at } } : {}),
  });
  sold.forEach(({ grossMinor, coachMinor, feeMinor }, n) => {
    const paymentId = `pi_${coachId}_${n}`;
    const entry = destinationSale({
      chargeId: `ch_${coachId}_${n}`,
      paymentId,
      occurredAt: at,
      currency: 'SEK',
      grossMinor: minor(grossMinor),
      coachMinor: minor(coachMinor),
      feeMinor: minor(feeMinor),
      vatRate: 25,
      balanceTransactionIds: [`txn_${coachId}_${n}`],
      coachId,
      stripeAccountId: account,
    });
    batch.set(ctx.db.doc(`ledger/${entry.id}`), { ...entry, voucherId: null, createdAt: at });
    const earning = newEarning(
      {
        paymentId,
        amountMinor: minor(grossMinor),
        feeMinor: minor(feeMinor),
        currency: 'SEK',
        description: 'Programme',
        customerName: 'Lisa Kund',
        ledgerId: entry.id,
        availableOn: at,
      },
      at,
    );
    batch.set(ctx.db.doc(`coaches/${coachId}/earnings/${paymentId}`), earning);
  });
  await batch.commit();
}
