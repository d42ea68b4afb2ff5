import { createOrder } from '../../payments/orders/orders.service.ts';
import { processPayment } from '../../payments/payments.service.ts';
import type { Payment } from '../../payments/payments.ts';
import { refundPayment } from '../../payments/refunds/refunds.service.ts';
import { cancelSubscription } from '../../payments/subscriptions/changes.service.ts';
import { createSubscription } from '../../payments/subscriptions/subscriptions.service.ts';
import type { Subscription } from '../../payments/subscriptions/subscriptions.ts';
import { hours } from '../../platform/clock.ts';
import { bookSession } from '../../sessions/booking.service.ts';
import type { Market } from '../weeks/market.ts';
import type { Process } from '../weeks/scheduler.ts';
import type { Stage } from '../weeks/stage.ts';
import { anna, bringCast, member, type CastCoach, type CastProduct } from './cast.ts';

export const goodCard = 'pm_card_bypassPending';
const cards = [goodCard, goodCard, goodCard, 'pm_card_visa', 'pm_card_createDispute', 'pm_card_refundFail'];
/** What can be ordered together: rates mixed, and of one seller. */
const baskets: readonly (readonly CastProduct[])[] = [
  ['mat', 'lunch', 'book'],
  ['lunch', 'book'],
  ['course', 'mat'],
  ['talk', 'guide'],
];
/** Whoever has a higher number is the script's alone. */
const members = 6;
/** Refunds above this wait for a second administrator. */
const partMost = 20_000;

/** The trade of the books' months that the market of the weeks has not: tenants, subscriptions, bundles, mixed VAT rates. */
export class Trade {
  readonly stage: Stage;
  readonly #market: Market;
  /** By the name that the script gives a purchase. */
  readonly #bought = new Map<string, string>();
  /** The balance transaction of the platform's that nobody has explained yet. */
  loose: string | undefined;
  #accounts: Record<CastCoach, string> = { karin: '', sara: '', store: '' };

  constructor(stage: Stage, market: Market) {
    this.stage = stage;
    this.#market = market;
  }

  async open(): Promise<void> {
    this.#accounts = await bringCast(this.stage);
  }

  accountOf(coachId: CastCoach): string {
    return this.#accounts[coachId];
  }

  /** Whether only the script gives it back. */
  isReserved(paymentId: string): boolean {
    return this.#market.reserved.has(paymentId);
  }

  /** The payment of a purchase of the script. */
  paymentOf(name: string): string {
    const paymentId = this.#bought.get(name);
    if (paymentId === undefined) throw new Error(`Nobody has bought ${name}.`);
    return paymentId;
  }

  /** What one of the members does now; undefined when it cannot be done. */
  async step(): Promise<Process | undefined> {
    const [name, act] = this.#market.pick(steps);
    const run = await act(this);
    if (run) this.stage.count(`trade: ${name}`);
    return run && { name, run };
  }

  anyone(): ReturnType<typeof member> {
    return member(1 + this.#market.below(members));
  }

  below(n: number): number {
    return this.#market.below(n);
  }

  pick<T>(of: readonly T[]): T {
    return this.#market.pick(of);
  }

  requestId(): string {
    return this.#market.requestId();
  }

  /** `name`: for the script to come back to it. */
  async buy(
    productId: CastProduct,
    { name, who = member(1), card = goodCard }: { name?: string; who?: ReturnType<typeof member>; card?: string } = {},
  ): Promise<void> {
    const input = { productId, requestId: this.requestId(), paymentMethodId: card };
    const { paymentId } = await processPayment(this.stage.ctx, who, input);
    if (name === undefined) return;
    this.#bought.set(name, paymentId);
    this.#market.reserved.add(paymentId);
  }

  async order(basket: readonly CastProduct[], who = member(1)): Promise<void> {
    const { ctx } = this.stage;
    const items = basket.map((productId, at) => ({ productId, quantity: 1 + (at % 2) }));
    const { orderId } = await createOrder(ctx, who, { items, requestId: this.requestId() });
    await processPayment(ctx, who, { orderId, requestId: this.requestId(), paymentMethodId: goodCard });
  }

  async subscribe(productId: CastProduct, who = member(1)): Promise<void> {
    const input = { productId, requestId: this.requestId(), paymentMethodId: goodCard };
    await createSubscription(this.stage.ctx, who, input);
  }

  async refund(paymentId: string, amountMinor?: number): Promise<void> {
    const part = amountMinor === undefined ? {} : { amountMinor };
    await refundPayment(this.stage.ctx, anna, { paymentId, requestId: this.requestId(), ...part });
  }

  /** A session that a bundle has paid, so many hours ahead. */
  async bookWithCredit(who: ReturnType<typeof member>, ahead: number): Promise<void> {
    const hour = Math.ceil(this.stage.now().getTime() / hours(1)) + ahead;
    await bookSession(this.stage.ctx, who, {
      productId: 'hour' satisfies CastProduct,
      startsAt: new Date(hour * hours(1)).toISOString(),
      useCredit: true,
      requestId: this.requestId(),
    });
  }

  /** Answers the dispute of a purchase so that the bank decides that way. */
  async answerDispute(name: string, evidence: 'winning_evidence' | 'losing_evidence'): Promise<void> {
    const dispute = [...this.stage.core.world.platform.disputes.values()].find(
      ({ payment_intent: paid }) => paid === this.paymentOf(name),
    );
    if (!dispute) throw new Error(`${name} is not disputed.`);
    await this.stage.stripe.disputes.update(dispute.id, { evidence: { uncategorized_text: evidence }, submit: true });
  }

  /** The tenant gives a purchase back in their own dashboard. The platform keeps its fee: at Stripe nothing of ours moves. */
  async refundByStore(name: string): Promise<void> {
    const stripeAccount = this.accountOf('store');
    await this.stage.stripe.refunds.create({ payment_intent: this.paymentOf(name) }, { stripeAccount });
  }

  /** null: mended. */
  bankOf(coachId: CastCoach, payout_failure_code: string | null): Promise<void> {
    return this.#market.change(this.accountOf(coachId), { payout_failure_code });
  }
}

type Step = (trade: Trade) => (() => Promise<unknown>) | Promise<(() => Promise<unknown>) | undefined>;

/** Bought by members of the cast, and not yet given back. */
async function refundable(trade: Trade): Promise<Payment | undefined> {
  const payments = (await trade.stage.all<Payment>('payments')).filter(
    ({ userId, status, stripePaymentId }) =>
      userId.startsWith('member') &&
      (status === 'succeeded' || status === 'partially_refunded') &&
      !trade.isReserved(stripePaymentId),
  );
  return payments.length > 0 ? trade.pick(payments) : undefined;
}

const refund: Step = async (trade) => {
  const payment = await refundable(trade);
  if (!payment) return undefined;
  const left = payment.amountMinor - payment.refundedMinor;
  const part = 1 + trade.below(Math.min(left, partMost));
  return () => trade.refund(payment.stripePaymentId, part);
};

const unsubscribe: Step = async (trade) => {
  const { ctx } = trade.stage;
  const { docs } = await ctx.db.collection('subscriptions').where('status', '==', 'active').get();
  const found = docs
    .map((doc) => ({ subscriptionId: doc.id, userId: (doc.data() as Subscription).userId }))
    .filter(({ userId }) => Number(userId.replace('member', '')) <= members);
  if (found.length === 0) return undefined;
  const { subscriptionId, userId } = trade.pick(found);
  const input = { subscriptionId, when: 'now' as const, requestId: trade.requestId() };
  return () => cancelSubscription(ctx, { ...member(1), uid: userId }, input);
};

const once: Step = (trade) => {
  const productId = trade.pick<CastProduct>(['mat', 'lunch', 'book', 'course', 'talk', 'guide', 'bundle']);
  const [who, card] = [trade.anyone(), trade.pick(cards)];
  return () => trade.buy(productId, { who, card });
};

const ofTenant: Step = (trade) => {
  const [who, card] = [trade.anyone(), trade.pick(cards)];
  return () => trade.buy('tent', { who, card });
};

const ordered: Step = (trade) => {
  const [who, basket] = [trade.anyone(), trade.pick(baskets)];
  return () => trade.order(basket, who);
};

const subscribed: Step = (trade) => {
  const [who, productId] = [trade.anyone(), trade.pick<CastProduct>(['premium', 'coaching', 'club'])];
  return () => trade.subscribe(productId, who);
};

const booked: Step = (trade) => {
  const [who, ahead] = [trade.anyone(), 1 + trade.below(36)];
  return () => trade.bookWithCredit(who, ahead);
};

const weights: readonly [name: string, step: Step, weight: number][] = [
  ['bought', once, 4],
  ['bought of a tenant', ofTenant, 2],
  ['ordered', ordered, 3],
  ['refunded', refund, 4],
  ['subscribed', subscribed, 2],
  ['unsubscribed', unsubscribe, 1],
  ['booked with a credit', booked, 2],
];
const steps = weights.flatMap(([name, step, weight]) => Array<[string, Step]>(weight).fill([name, step]));
