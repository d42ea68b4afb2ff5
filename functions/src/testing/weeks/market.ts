import { changeAccount } from '../../../../emulators/stripe/http/control-account.ts';
import type { Cadence } from '../../coaches/coaches.ts';
import { setCoachTerms, updatePayoutSettings } from '../../coaches/settings.service.ts';
import { processPayment } from '../../payments/payments.service.ts';
import { refundPayment } from '../../payments/refunds/refunds.service.ts';
import { requestPayout, retryPayout, runPayouts } from '../../payouts/by-hand.service.ts';
import { payPlatform } from '../../payouts/platform/platform.service.ts';
import { cameBack, type Payout } from '../../payouts/payouts.ts';
import type { Process } from './scheduler.ts';
import * as sessions from './sessions.ts';
import { bringCoach, offer, type Stage } from './stage.ts';

/** What people, banks and Stripe do in a small marketplace, drawn by chance. */

const anna = { uid: 'anna', coach: false, admin: true };
const prices = [4_900, 49_900, 120_000, 2_500, 33_300, 1_900];
const cards = [
  'pm_card_bypassPending',
  'pm_card_bypassPending',
  'pm_card_bypassPending',
  'pm_card_visa',
  'pm_card_pendingRefund',
  'pm_card_createDispute',
  'pm_card_visa_chargeDeclined',
];
const cadences: readonly Cadence[] = ['daily', 'weekly', 'biweekly', 'monthly', 'manual'];
const goodIban = 'SE3550000000054910000003';
const failures = ['account_closed', 'no_account', 'could_not_process', 'declined'];

interface Seller {
  coachId: string;
  account: string;
  products: string[];
}

type Step = (market: Market) => Process | Promise<Process | undefined> | undefined;

export class Market {
  readonly stage: Stage;
  readonly random: () => number;
  readonly sellers: Seller[] = [];
  /** Payments that are somebody else's to give back. */
  readonly reserved = new Set<string>();
  #requests = 0;
  /** Commands whose process was stopped: their clients may ask again. */
  readonly #open: Process[] = [];

  constructor(stage: Stage, random: () => number) {
    this.stage = stage;
    this.random = random;
  }

  /** One to three coaches with their products, and money of the platform's own, so that refunds need not wait for it. */
  async open(): Promise<void> {
    const coaches = 1 + this.below(3);
    for (let n = 1; n <= coaches; n++) {
      const coachId = `coach${n}`;
      const chargeModel = this.random() < 0.7 ? ('destination' as const) : ('separate' as const);
      const cadence = this.pick(['daily', 'daily', 'weekly', 'biweekly'] as const);
      const account = await bringCoach(this.stage, coachId, { terms: { chargeModel }, payoutSettings: { cadence } });
      const amounts = [this.pick(prices), this.pick(prices)];
      const products = amounts.map((amount, at) => `${coachId}-${at}-${amount}`);
      for (const [at, id] of products.entries()) {
        await offer(this.stage, { id, coachId, amountMinor: amounts[at] ?? 0 });
      }
      await sessions.offerSessions(this.stage, coachId);
      this.sellers.push({ coachId, account, products });
    }
    await offer(this.stage, { id: 'own', amountMinor: 2_000_000 });
    await this.#sellOwn();
  }

  async #sellOwn(): Promise<void> {
    const own = { productId: 'own', requestId: this.requestId(), paymentMethodId: 'pm_card_bypassPending' };
    await processPayment(this.stage.ctx, { uid: 'lisa', coach: false, admin: false }, own);
  }

  below(n: number): number {
    return Math.floor(this.random() * n);
  }

  pick<T>(of: readonly T[]): T {
    const one = of[this.below(of.length)];
    if (one === undefined) throw new Error('There is nothing to choose from.');
    return one;
  }

  customer(): { uid: string; email: string; coach: false; admin: false } {
    return { uid: `customer${1 + this.below(4)}`, email: 'kund@example.se', coach: false, admin: false };
  }

  requestId(): string {
    return `request-${++this.#requests}`;
  }

  /** What somebody does now; undefined when it cannot be done. */
  async step(): Promise<Process | undefined> {
    const again = this.#open.length > 0 && this.random() < 0.3 ? this.#open.shift() : undefined;
    if (again) {
      this.stage.count('step: asked again by the client');
      return again;
    }
    const [name, step] = this.pick(weighted);
    const process = await step(this);
    if (!process) return undefined;
    this.stage.count(`step: ${name}`);
    return process;
  }

  /** A call that its client makes again, under the same request id, when no answer came. */
  asked(process: Process): void {
    if (this.random() < 0.7) this.#open.push(process);
  }

  /** The clients give up. */
  close(): void {
    this.#open.length = 0;
  }

  async change(account: string, order: Parameters<typeof changeAccount>[2]): Promise<void> {
    const changed = changeAccount(this.stage.core.world, account, order);
    if (typeof changed === 'string') throw new Error(changed);
  }

  /** Money for refunds that wait for some: it may have gone to the platform's bank. */
  async fund(): Promise<void> {
    if (this.stage.core.world.waitingRefunds.size > 0) await this.#sellOwn();
  }

  /** Banks, accounts and holds as they should be. */
  async mend(): Promise<void> {
    const { ctx } = this.stage;
    for (const { account, coachId } of this.sellers) {
      await this.change(account, { payout_failure_code: null });
      if (this.stage.core.world.accounts.get(account)?.payouts_enabled !== true) {
        await this.change(account, { enable: true });
      }
      const requestId = this.requestId();
      await setCoachTerms(ctx, 'anna', { coachId, requestId, note: 'The weeks are over.', holdReason: null });
      await updatePayoutSettings(ctx, coachId, { requestId: this.requestId(), cadence: 'daily', minimumMinor: 2_000 });
    }
  }
}

const charges = ({ stage }: Market) => [...stage.core.world.platform.charges.values()];

function sale(market: Market): Process {
  const { ctx } = market.stage;
  const customer = market.customer();
  const paymentMethodId = market.pick(cards);
  const productId = market.pick(market.pick(market.sellers).products);
  const input = { productId, requestId: market.requestId(), paymentMethodId };
  if (paymentMethodId === 'pm_card_createDispute') market.stage.count('step: sale that will be disputed');
  return { name: 'sale', run: () => processPayment(ctx, customer, input) };
}

function refund(market: Market): Process | undefined {
  const { ctx } = market.stage;
  const open = charges(market).filter(
    (charge) =>
      charge.paid &&
      !charge.refunded &&
      !charge.disputed &&
      charge.metadata.coachId &&
      !charge.metadata.sessionId &&
      !market.reserved.has(charge.payment_intent as string),
  );
  if (open.length === 0) return undefined;
  const charge = market.pick(open);
  const left = charge.amount - charge.amount_refunded;
  const part = market.random() < 0.5 && left > 1_000 ? 500 + market.below(left - 900) : undefined;
  market.stage.count(part === undefined ? 'step: refund in full' : 'step: refund in part');
  const input = {
    paymentId: charge.payment_intent as string,
    requestId: market.requestId(),
    ...(part === undefined ? {} : { amountMinor: part }),
  };
  return { name: 'refund', run: () => refundPayment(ctx, anna, input) };
}

async function answer(market: Market): Promise<Process | undefined> {
  const { stripe, core } = market.stage;
  const open = [...core.world.platform.disputes.values()].filter(({ status }) => status === 'needs_response');
  if (open.length === 0) return undefined;
  const won = market.random() < 0.5;
  market.stage.count(`dispute ${won ? 'won' : 'lost'}`);
  const evidence = { uncategorized_text: won ? 'winning_evidence' : 'losing_evidence' };
  await stripe.disputes.update(market.pick(open).id, { evidence, submit: true });
  return nothing;
}

const nothing: Process = { name: 'done', run: async () => undefined };

/** By an administrator: one coach's, of all or of a part; sometimes the whole day's run. */
function byHand(market: Market): Process {
  const { ctx } = market.stage;
  const { coachId } = market.pick(market.sellers);
  const requestId = market.requestId();
  const part = market.random() < 0.3 ? { amountMinor: 2_000 + market.below(30_000) } : {};
  const input = market.random() < 0.2 ? { requestId } : { coachId, requestId, ...part };
  return { name: 'payout by hand', run: () => runPayouts(ctx, anna, input) };
}

/** By the coach: their own, where they are paid by hand, or another attempt of one that came back. */
async function byCoach(market: Market): Promise<Process> {
  const { ctx } = market.stage;
  const { coachId } = market.pick(market.sellers);
  const coach = { uid: coachId, coach: true, admin: false };
  const requestId = market.requestId();
  const back = (await ctx.db.collection('payouts').where('coachId', '==', coachId).get()).docs.filter((doc) =>
    cameBack((doc.data() as Payout).status),
  );
  const last = back.at(-1);
  if (last) market.stage.count('step: another attempt');
  return {
    name: 'payout by hand',
    run: () =>
      last ? retryPayout(ctx, coach, { payoutId: last.id, requestId }) : requestPayout(ctx, coach, { requestId }),
  };
}

/** The platform's own, of all that is its own or of a part. */
function platformPayout(market: Market): Process {
  const part = market.random() < 0.5 ? { amountMinor: 10_000 + market.below(500_000) } : {};
  const input = { requestId: market.requestId(), ...part };
  return { name: 'payout of the platform', run: () => payPlatform(market.stage.ctx, anna, input) };
}

/** By somebody in Stripe's dashboard, while Stripe has not sent it. */
async function canceled(market: Market): Promise<Process | undefined> {
  const { stripe, core } = market.stage;
  for (const { account } of market.sellers) {
    const payouts = core.world.books.get(account)?.payouts.values() ?? [];
    const pending = [...payouts].find(({ status }) => status === 'pending');
    if (!pending) continue;
    await stripe.payouts.cancel(pending.id, {}, { stripeAccount: account });
    return nothing;
  }
  return undefined;
}

async function bankBreaks(market: Market): Promise<Process> {
  await market.change(market.pick(market.sellers).account, { payout_failure_code: market.pick(failures) });
  return nothing;
}

async function bankMended(market: Market): Promise<Process> {
  await market.change(market.pick(market.sellers).account, { payout_failure_code: null });
  return nothing;
}

async function bankReplaced(market: Market): Promise<Process> {
  const external_account = {
    object: 'bank_account',
    country: 'SE',
    currency: 'sek',
    account_number: goodIban,
  } as const;
  const { account } = market.pick(market.sellers);
  await market.stage.stripe.accounts.createExternalAccount(account, { external_account, default_for_currency: true });
  return nothing;
}

async function restricted(market: Market): Promise<Process> {
  const { accounts } = market.stage.core.world;
  const shut = market.sellers.find((seller) => accounts.get(seller.account)?.payouts_enabled !== true);
  const { account } = shut ?? market.pick(market.sellers);
  await market.change(account, shut ? { enable: true } : { requirements: ['individual.verification.document'] });
  return nothing;
}

function settings(market: Market): Process {
  const { coachId } = market.pick(market.sellers);
  const input = {
    requestId: market.requestId(),
    cadence: market.pick(cadences),
    minimumMinor: market.pick([2_000, 2_000, 10_000, 50_000]),
  };
  return { name: 'settings', run: () => updatePayoutSettings(market.stage.ctx, coachId, input) };
}

function hold(market: Market): Process {
  const { coachId } = market.pick(market.sellers);
  const holdReason = market.random() < 0.4 ? 'We look at this coach.' : null;
  const input = { coachId, requestId: market.requestId(), note: 'As decided.', holdReason };
  return { name: 'hold', run: () => setCoachTerms(market.stage.ctx, 'anna', input) };
}

const steps: readonly [name: string, step: Step, weight: number][] = [
  ['sale', sale, 10],
  ['refund', refund, 4],
  ['dispute answered', answer, 2],
  ['session booked', sessions.booked, 4],
  ['session completed', sessions.completed, 4],
  ['session canceled', sessions.canceled, 1],
  ['payout by hand', byHand, 3],
  ['payout by the coach', byCoach, 2],
  ['payout of the platform', platformPayout, 1],
  ['payout canceled', canceled, 2],
  ['bank breaks', bankBreaks, 1],
  ['bank mended', bankMended, 1],
  ['bank replaced', bankReplaced, 1],
  ['account restricted or enabled', restricted, 1],
  ['settings', settings, 1],
  ['hold', hold, 1],
];

/** Each as often as its weight says. */
const weighted = steps.flatMap(([name, step, weight]) => Array<[string, Step]>(weight).fill([name, step]));

export const stepNames = steps.map(([name]) => name);
