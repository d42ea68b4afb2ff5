import { makeFault } from '../../../../emulators/stripe/core/faults.ts';
import { answerChallenge } from '../../../../emulators/stripe/resources/challenge-answer.ts';
import { createOrder } from '../../payments/orders/orders.service.ts';
import { processPayment, type ProcessPaymentInput } from '../../payments/payments.service.ts';
import type { Payment } from '../../payments/payments.ts';
import { planRelease } from '../../payments/release.service.ts';
import { refundPayment } from '../../payments/refunds/refunds.service.ts';
import {
  cancelSubscription,
  resumeSubscription,
  updateSubscription,
} from '../../payments/subscriptions/changes.service.ts';
import { createSubscription } from '../../payments/subscriptions/subscriptions.service.ts';
import type { Subscription } from '../../payments/subscriptions/subscriptions.ts';
import { sendOrder } from '../../payments/transfers/transfers.service.ts';
import { releaseId } from '../../payments/transfers/transfers.ts';
import { payCoach } from '../../payouts/pay.service.ts';
import { payPlatform } from '../../payouts/platform/platform.service.ts';
import { minor } from '../../platform/money.ts';
import { runWrites } from '../../platform/write.ts';
import { Timestamp } from 'firebase-admin/firestore';
import { below, pick, type Random } from '../random.ts';
import { anna, customers, products, type Stage } from './stage.ts';

/**
 * What people do, each through the product's services or at Stripe itself. They choose by lot among what there is; false:
 * there was nothing to do.
 */
export type Player = (stage: Stage, random: Random, name: string) => Promise<false | void>;

/** Weighted by how often they stand here: most pay. */
const cards = [
  ...Array.from({ length: 8 }, () => 'pm_card_bypassPending'),
  ...Array.from({ length: 3 }, () => 'pm_card_visa'),
  'pm_card_visa_chargeDeclined',
  'pm_card_authenticationRequired',
  'pm_card_authenticationRequired',
  'pm_card_authenticationRequiredChargeDeclinedInsufficientFunds',
  'pm_card_createDispute',
  'pm_card_createDispute',
  'pm_card_createDispute',
  'pm_card_createDisputeProductNotReceived',
  'pm_card_createDisputeInquiry',
  'pm_card_createDisputeInquiry',
  'pm_card_createDisputeInquiry',
  'pm_card_createIssuerFraudRecord',
  'pm_card_riskLevelElevated',
  'pm_card_pendingRefund',
  'pm_card_pendingRefund',
  'pm_card_refundFail',
  'pm_card_refundFail',
  'pm_card_refundFail',
];
const ibans = ['DE89370400440532013000', 'DE62370400440532013001'];
const onceProducts = ['mat', 'course', 'programme', 'programme', 'book', 'talk', 'bundle', 'bundle', 'tent'];
const subscriptionProducts = ['premium', 'premium', 'trial', 'coaching', 'coaching', 'sessions', 'club'];

/** Marks what is none of our orders. */
export const byHand = { by: 'hand' };

const where = (stripeAccount: string | undefined) => (stripeAccount ? { stripeAccount } : {});
const tenantOf = ({ chargeModel, stripeAccountId }: Pick<Payment, 'chargeModel' | 'stripeAccountId'>) =>
  where(chargeModel === 'direct' ? stripeAccountId : undefined);

async function debit({ stripe, accounts }: Stage, random: Random, productId: string): Promise<string> {
  const { coachId } = products[productId] ?? {};
  const method = await stripe.paymentMethods.create(
    {
      type: 'sepa_debit',
      sepa_debit: { iban: pick(random, ibans) },
      billing_details: { name: 'Lisa Kund', email: 'lisa@example.se' },
    },
    where(coachId === 'store' ? accounts.store : undefined),
  );
  return method.id;
}

async function means(stage: Stage, random: Random, productId: string): Promise<{ paymentMethodId?: string }> {
  const lot = random();
  if (lot < 0.06) return {};
  return { paymentMethodId: lot < 0.16 ? await debit(stage, random, productId) : pick(random, cards) };
}

const buy: Player = async (stage, random, name) => {
  const productId = pick(random, onceProducts);
  const input: ProcessPaymentInput = { productId, requestId: name, ...(await means(stage, random, productId)) };
  await processPayment(stage.ctx, pick(random, customers), input);
};

const order: Player = async (stage, random, name) => {
  const ofOne = pick(random, [
    ['mat', 'course'],
    ['programme', 'book'],
    ['talk', 'talk'],
    ['tent', 'tent'],
  ]);
  const productIds = [...new Set(ofOne.slice(0, 1 + below(random, 2)))];
  const items = productIds.map((productId) => ({ productId, quantity: 1 + below(random, 3) }));
  const caller = pick(random, customers);
  const { orderId } = await createOrder(stage.ctx, caller, { items, requestId: name });
  const paying = await means(stage, random, productIds[0] ?? '');
  await processPayment(stage.ctx, caller, { orderId, requestId: `${name}-pay`, ...paying });
};

/** The customer's browser tries an open payment again with another card, without asking us. */
const tryAgain: Player = async (stage, random) => {
  const open = (await stage.all<Payment>('payments')).filter(
    ({ status, subscriptionId }) => (status === 'failed' || status === 'pending') && !subscriptionId,
  );
  if (open.length === 0) return false;
  const payment = pick(random, open);
  const how = { payment_method: pick(random, cards), return_url: 'http://127.0.0.1:5000/done' };
  await stage.stripe.paymentIntents.confirm(payment.stripePaymentId, how, tenantOf(payment));
};

/** Whoever has a bank's page open clicks. */
const authenticate: Player = async ({ core }, random) => {
  const open = [...core.world.challenges.keys()];
  for (const token of open) answerChallenge(core.world, token, random() < 0.6);
  return open.length === 0 ? false : undefined;
};

const paid = async (stage: Stage): Promise<Payment[]> =>
  (await stage.all<Payment>('payments')).filter(({ stripeChargeId }) => stripeChargeId !== undefined);

/** Mostly one of which something is left; of a coach who may have been paid out rather than of another. */
async function toRefund(stage: Stage, random: Random): Promise<Payment | undefined> {
  const all = await paid(stage);
  const left = all.filter(({ status }) => status === 'succeeded' || status === 'partially_refunded');
  const shared = left.filter(({ chargeModel }) => chargeModel === 'destination');
  const lot = random();
  const from = lot < 0.1 ? all : lot < 0.4 ? shared : left;
  return from.length > 0 ? pick(random, from) : undefined;
}

const partOf = (random: Random, amountMinor: number): { amountMinor?: number } =>
  random() < 0.4 ? {} : { amountMinor: 1 + below(random, Math.ceil(amountMinor / 2)) };

const refund: Player = async (stage, random, name) => {
  const payment = await toRefund(stage, random);
  if (!payment) return false;
  const { stripePaymentId: paymentId, amountMinor } = payment;
  await refundPayment(stage.ctx, anna, { paymentId, requestId: name, ...partOf(random, amountMinor) });
};

const refundAtStripe: Player = async (stage, random) => {
  const payment = await toRefund(stage, random);
  if (!payment) return false;
  const { amountMinor } = partOf(random, payment.amountMinor);
  const reverses = payment.chargeModel === 'destination' && random() < 0.8;
  const hasFee = payment.chargeModel === 'direct' ? payment.platformFeeMinor > 0 : reverses;
  await stage.stripe.refunds.create(
    {
      payment_intent: payment.stripePaymentId,
      ...(amountMinor ? { amount: amountMinor } : {}),
      ...(reverses ? { reverse_transfer: true } : {}),
      ...(hasFee && random() < 0.8 ? { refund_application_fee: true } : {}),
    },
    tenantOf(payment),
  );
};

/** Someone thinks better of a refund that still waits for money. */
const cancelRefund: Player = async ({ stripe, core }) => {
  const [id] = core.world.waitingRefunds.keys();
  if (!id) return false;
  await stripe.refunds.cancel(id);
};

const texts = ['winning_evidence', 'losing_evidence', 'escalate_inquiry_evidence', 'escalate_inquiry_evidence'];

const answerDispute: Player = async ({ stripe, core }, random) => {
  const books = [core.world.platform, ...core.world.books.values()];
  const open = books.flatMap((book) =>
    book.disputes
      .values()
      .filter(({ status }) => status.endsWith('needs_response'))
      .map(({ id, status }) => ({ id, status, account: book === core.world.platform ? undefined : book.account })),
  );
  if (open.length === 0) return false;
  const { id, status, account } = pick(random, open);
  const text = pick(random, status.startsWith('warning_') ? texts.slice(1) : texts.slice(0, 2));
  await stripe.disputes.update(id, { evidence: { uncategorized_text: text }, submit: true }, where(account));
};

const subscribe: Player = async (stage, random, name) => {
  const productId = pick(random, subscriptionProducts);
  const paymentMethodId = pick(random, cards);
  await createSubscription(stage.ctx, pick(random, customers), { productId, requestId: name, paymentMethodId });
};

async function aSubscription(
  stage: Stage,
  random: Random,
  rather?: string,
): Promise<(Subscription & { id: string }) | undefined> {
  const { docs } = await stage.ctx.db.collection('subscriptions').get();
  const standing = docs
    .map((doc) => ({ ...(doc.data() as Subscription), id: doc.id }))
    .filter(({ status }) => status !== 'canceled' && status !== 'incomplete_expired');
  const preferred = standing.filter(({ status }) => status === rather);
  const from = preferred.length > 0 ? preferred : standing;
  return from.length > 0 ? pick(random, from) : undefined;
}

const callerOf = (uid: string) => customers.find((each) => each.uid === uid) ?? anna;

const changeSubscription: Player = async (stage, random, name) => {
  const found = await aSubscription(stage, random);
  if (!found) return false;
  const { id: subscriptionId, userId, productId } = found;
  const caller = callerOf(userId);
  const command = { subscriptionId, requestId: name };
  const lot = random();
  if (lot < 0.25) await cancelSubscription(stage.ctx, caller, { ...command, when: 'now' });
  else if (lot < 0.45) await cancelSubscription(stage.ctx, caller, { ...command, when: 'period_end' });
  else if (lot < 0.6) await resumeSubscription(stage.ctx, caller, command);
  else {
    const plan = productId === 'premium' && random() < 0.5 ? { productId: 'plus' } : {};
    await updateSubscription(stage.ctx, caller, { ...command, ...plan, quantity: 1 + below(random, 3) });
  }
};

/** The platform's own money goes to its bank: by us, or by hand all that is there. */
const payPlatformOut: Player = async ({ ctx, stripe }, random, name) => {
  if (random() < 0.5) return void (await payPlatform(ctx, anna, { requestId: name }));
  const { available } = await stripe.balance.retrieve();
  const amount = available.find(({ currency }) => currency === 'sek')?.amount ?? 0;
  if (amount <= 0) return false;
  await stripe.payouts.create({ amount, currency: 'sek' });
};

/** A coach keeps more or less of what is sold from now on. */
const changeTerms: Player = async ({ ctx, accounts }, random) => {
  const coachId = pick(random, Object.keys(accounts));
  await ctx.db.doc(`coaches/${coachId}`).update({ 'terms.feePercent': pick(random, [5, 12.5, 20, 33.33]) });
};

/** On Stripe's page of an invoice that could not be charged: it is paid there, or an administrator voids it. */
const settleInvoice: Player = async ({ stripe, core }, random) => {
  const open = [core.world.platform, ...core.world.books.values()].flatMap((book) =>
    book.invoices
      .values()
      .filter(({ status }) => status === 'open')
      .map(({ id, customer }) => ({
        id,
        customer,
        on: where(book === core.world.platform ? undefined : book.account),
      })),
  );
  if (open.length === 0) return false;
  const { id, customer, on } = pick(random, open);
  if (random() < 0.25) return void (await stripe.invoices.voidInvoice(id, {}, on));
  const method = await stripe.paymentMethods.attach('pm_card_bypassPending', { customer: customer as string }, on);
  await stripe.invoices.pay(id, { payment_method: method.id }, on);
};

/** Nobody waits for an open payment any more. */
const cancelPayment: Player = async (stage, random) => {
  const open = (await stage.all<Payment>('payments')).filter(
    ({ status, subscriptionId }) => (status === 'failed' || status === 'pending') && !subscriptionId,
  );
  if (open.length === 0) return false;
  const payment = pick(random, open);
  await stage.stripe.paymentIntents.cancel(payment.stripePaymentId, {}, tenantOf(payment));
};

/** In Stripe's dashboard a part of a transfer is taken back by hand, or a part of a fee given back. */
const moveByHand: Player = async ({ stripe, core }, random) => {
  const { transfers, applicationFees } = core.world.platform;
  const sent = transfers.values().filter(({ amount, amount_reversed: back }) => amount - back > 100);
  const fees = applicationFees.values().filter(({ amount, amount_refunded: back }) => amount - back > 100);
  if (random() < 0.5) {
    if (sent.length === 0) return false;
    await stripe.transfers.createReversal(pick(random, sent).id, { amount: 1 + below(random, 100), metadata: byHand });
  } else {
    if (fees.length === 0) return false;
    await stripe.applicationFees.createRefund(pick(random, fees).id, { amount: 1 + below(random, 100) });
  }
};

const renewing = ['pm_card_bypassPending', 'pm_card_visa', 'pm_card_chargeCustomerFail', 'pm_card_chargeCustomerFail'];

/** The card of a subscription is changed: the next renewal fails, or succeeds again. */
const changeCard: Player = async (stage, random) => {
  const found = await aSubscription(stage, random, 'past_due');
  if (!found) return false;
  const cards = found.status === 'past_due' ? renewing.slice(0, 3) : renewing;
  const on = where(found.chargeModel === 'direct' ? found.stripeAccountId : undefined);
  const subscription = await stage.stripe.subscriptions.retrieve(found.id, {}, on);
  const customer = subscription.customer as string;
  const { id } = await stage.stripe.paymentMethods.attach(pick(random, cards), { customer }, on);
  await stage.stripe.subscriptions.update(found.id, { default_payment_method: id }, on);
};

/** A session of a bundle takes place: its part of what is held becomes the coach's. */
const completeSession: Player = async (stage, random, name) => {
  const held = (await paid(stage)).filter(
    ({ held: of, status }) => (of?.leftMinor ?? 0) >= 30_000 && ['succeeded', 'partially_refunded'].includes(status),
  );
  if (held.length === 0) return false;
  const { ctx } = stage;
  const { stripePaymentId } = pick(random, held);
  await ctx.db.runTransaction(async (tx) => {
    const payment = (await tx.get(ctx.db.doc(`payments/${stripePaymentId}`))).data() as Payment;
    const at = Timestamp.fromDate(stage.now());
    runWrites(tx, await planRelease(ctx, tx, { sessionId: name, payment, grossMinor: minor(30_000), at }));
  });
  await sendOrder(ctx, releaseId(name));
};

const payOut: Player = async (stage, random) => {
  const coachId = random() < 0.5 ? 'karin' : pick(random, Object.keys(stage.accounts));
  const dueDate = stage.now().toISOString().slice(0, 10);
  const outcome = await payCoach(stage.ctx, { coachId, currency: 'SEK', dueDate, runId: `run-${dueDate}` });
  return outcome === 'nothing' ? false : undefined;
};

const troubles = [
  { kind: 'timeout_after_success', method: 'POST' },
  { kind: 'timeout_before' },
  { kind: 'error_500_before' },
  { kind: 'error_500_after', method: 'POST' },
  { kind: 'rate_limit' },
];

/** One of the next requests goes wrong, also after it had its effect. */
const trouble: Player = async ({ core }, random, name) => {
  const fault = makeFault(name, { ...pick(random, troubles), times: 1 + below(random, 2) });
  if (typeof fault === 'string') throw new Error(fault);
  core.world.faults.push(fault);
};

export const players = {
  buy,
  order,
  'try again': tryAgain,
  authenticate,
  refund,
  'refund at Stripe': refundAtStripe,
  'cancel a refund': cancelRefund,
  'answer a dispute': answerDispute,
  subscribe,
  'change a subscription': changeSubscription,
  'change a card': changeCard,
  'complete a session': completeSession,
  'pay out': payOut,
  'pay the platform out': payPlatformOut,
  'change terms': changeTerms,
  'settle an invoice': settleInvoice,
  'cancel a payment': cancelPayment,
  'move money by hand': moveByHand,
  trouble,
} satisfies Record<string, Player>;
export type Step = keyof typeof players;
