import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import type { Caller } from '../platform/auth.ts';
import { FinalRefusal, runCommand } from '../platform/commands.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { minor, toMajor, toStripeCurrency, zero, type Currency, type Minor } from '../platform/money.ts';
import { runWrites } from '../platform/write.ts';
import { onceOfPayment } from './checkout/checkout.ts';
import { closePages } from './checkout/pages.service.ts';
import { ensureAccountCustomer } from './account-customers.service.ts';
import { ensureCustomer } from './customers.service.ts';
import { newsOfIntent } from './charged.ts';
import {
  closeIntent,
  confirmIntent,
  fetchIntent,
  intentOnce,
  keepMethod,
  type ConfirmHow,
  type IntentCommand,
} from './intents.service.ts';
import { planAttach, planNews } from './moves.service.ts';
import {
  breakdown,
  nothingHeld,
  statusOfIntent,
  tenantAccountOf,
  type Breakdown,
  type Payment,
  type PaymentStatus,
} from './payments.ts';
import { requireNotAnothers } from './methods/methods.service.ts';
import * as store from './payments.store.ts';
import type { PaymentPlan, Share, Target } from './plans.ts';
import { owedFor } from './sources.service.ts';

export { lastPayments } from './recent.store.ts';

export interface ProcessPaymentInput {
  /** Exactly one of the three. */
  productId?: string | undefined;
  orderId?: string | undefined;
  sessionId?: string | undefined;
  requestId: string;
  paymentMethodId?: string | undefined;
  savePaymentMethod?: boolean | undefined;
}

export interface ProcessPaymentReply {
  paymentId: string;
  clientSecret: string | null;
  publishableKey: string;
  /** Set when the payment is on a seller's own account: Stripe.js must be told. */
  stripeAccountId?: string;
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  status: PaymentStatus;
  breakdown: Breakdown;
}

export const processPaymentCommand = 'processPayment';

/** A customer pays for a catalogue product: price, fee and owner come from our documents, never from the client. */
export async function processPayment(
  ctx: Context,
  caller: Caller,
  input: ProcessPaymentInput,
): Promise<ProcessPaymentReply> {
  // Set when the command runs now: Stripe's own answer, so that it need not be asked for again.
  let fresh: Stripe.PaymentIntent | undefined;
  const { paymentId } = await runCommand<PaymentPlan, { paymentId: string }>(ctx, {
    command: processPaymentCommand,
    uid: caller.uid,
    requestId: input.requestId,
    input,
    plan: (tx) => planPayment(ctx, tx, caller, input),
    execute: async (plan, startedAt) => {
      fresh = await executePayment(ctx, { uid: caller.uid, requestId: input.requestId, startedAt }, plan);
      return { paymentId: fresh.id };
    },
  });
  const payment = await store.readPayment(ctx.db, paymentId);
  if (!payment) throw new Error(`Payment ${paymentId} is gone after it was written.`);
  const stripeAccountId = tenantAccountOf(payment);
  const intent = fresh ?? (await fetchIntent(ctx, paymentId, stripeAccountId));
  return {
    paymentId,
    clientSecret: intent.client_secret,
    publishableKey: ctx.config.stripePublishableKey,
    ...(stripeAccountId ? { stripeAccountId } : {}),
    amount: payment.amount,
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    // After a failed attempt the next one may be on its way; the document keeps the failure until it succeeds.
    status: payment.status === 'failed' ? statusOfIntent(intent) : payment.status,
    breakdown: breakdown(payment),
  };
}

/** What is bought and how it is paid, frozen. Throws Refusal. */
export async function planPayment(
  ctx: Context,
  tx: Transaction,
  caller: Caller,
  input: ProcessPaymentInput,
): Promise<PaymentPlan> {
  if (input.paymentMethodId) await requireNotAnothers(ctx, caller.uid, input.paymentMethodId);
  return {
    ...(await owedFor(ctx, tx, caller.uid, targetOf(input))),
    ...(caller.email ? { email: caller.email } : {}),
    customerName: caller.name ?? '',
    receipt: ctx.config.receipts === 'letter' || !caller.email ? 'letter' : 'stripe',
    ...(input.paymentMethodId ? { paymentMethodId: input.paymentMethodId } : {}),
    savePaymentMethod: input.savePaymentMethod ?? false,
  };
}

/** Exactly one of the three is named; anything else is refused. */
export function targetOf({ productId, orderId, sessionId }: ProcessPaymentInput): Target {
  const named: Target[] = [
    ...(productId === undefined ? [] : [{ kind: 'product' as const, id: productId }]),
    ...(orderId === undefined ? [] : [{ kind: 'order' as const, id: orderId }]),
    ...(sessionId === undefined ? [] : [{ kind: 'session' as const, id: sessionId }]),
  ];
  const [target] = named;
  if (target && named.length === 1) return target;
  throw new Refusal(
    'invalid-argument',
    'name-one-thing-to-pay',
    'Name what is paid for: exactly one of productId, orderId and sessionId.',
  );
}

/**
 * Makes the PaymentIntent, writes the payment, and only then confirms: money never moves before there is a document for
 * its events to find. Every step is repeatable under the same keys.
 */
export async function executePayment(
  ctx: Context,
  command: IntentCommand,
  plan: PaymentPlan,
): Promise<Stripe.PaymentIntent> {
  const once = onceOfPayment(plan);
  if (once) await closePages(ctx, once);
  const stripeAccount = plan.coach && tenantAccountOf(plan.coach);
  const { attempt, paymentMethodId } = plan;
  const on: IntentCommand = {
    ...command,
    ...(stripeAccount ? { stripeAccount } : {}),
    ...(attempt ? { attempt } : {}),
  };
  const intent = await (plan.openPaymentId
    ? openIntent(ctx, plan.openPaymentId, stripeAccount)
    : startIntent(ctx, on, plan));
  if (paymentMethodId) return confirmAndMerge(ctx, on, intent, paymentMethodId, howToConfirm(ctx, plan));
  return plan.savePaymentMethod && plan.openPaymentId ? keepMethod(ctx, intent, stripeAccount) : intent;
}

async function startIntent(ctx: Context, command: IntentCommand, plan: PaymentPlan): Promise<Stripe.PaymentIntent> {
  const { stripeAccount } = command;
  const who = { uid: command.uid, ...(plan.email ? { email: plan.email } : {}) };
  const customer = await (stripeAccount ? ensureAccountCustomer(ctx, who, stripeAccount) : ensureCustomer(ctx, who));
  const intent = await intentOnce(ctx, command, intentParams(command, plan, customer));
  try {
    await createIfMissing(ctx, paymentOf(ctx, command, plan, intent));
    // A page that was opened meanwhile did not see this payment.
    const once = onceOfPayment(plan);
    if (once) await closePages(ctx, once);
  } catch (error) {
    // What it was to pay is closed or paid meanwhile. Nobody has its client secret yet, and nobody shall pay it.
    const late = error instanceof FinalRefusal || (error instanceof Refusal && error.reason === 'paid-on-a-page');
    if (late) await mergeIntent(ctx, await closeIntent(ctx, intent.id, stripeAccount));
    throw error;
  }
  return intent;
}

/** The intent another tab has begun; ended meanwhile, the customer starts anew. */
async function openIntent(ctx: Context, id: string, stripeAccount: string | undefined): Promise<Stripe.PaymentIntent> {
  const intent = await fetchIntent(ctx, id, stripeAccount);
  if (statusOfIntent(intent) === 'pending') return intent;
  await mergeIntent(ctx, intent);
  if (intent.status !== 'canceled') return intent;
  throw new FinalRefusal('aborted', 'payment-canceled', 'This payment was canceled. Start anew with a new requestId.');
}

/**
 * A product's intent is made for one command: with a card in hand it takes no means that leave the page. An order's or a
 * session's may be finished in another tab with any of them, so Stripe is told where to come back to.
 */
const leavesNoPage = (plan: PaymentPlan): boolean => Boolean(plan.productId && plan.paymentMethodId);

function howToConfirm(ctx: Context, plan: PaymentPlan): ConfirmHow {
  const [returnTo] = ctx.config.allowedOrigins;
  return {
    ...(!leavesNoPage(plan) && returnTo ? { return_url: returnTo } : {}),
    ...(plan.openPaymentId && plan.savePaymentMethod ? { setup_future_usage: 'off_session' } : {}),
  };
}

type Subject = Pick<PaymentPlan, 'productId' | 'orderId' | 'sessionId'>;

const subjectOf = ({ productId, orderId, sessionId }: Subject): Subject => ({
  ...(productId ? { productId } : {}),
  ...(orderId ? { orderId } : {}),
  ...(sessionId ? { sessionId } : {}),
});

/** What Stripe is asked for a payment; a page at Stripe is asked for the same. */
export function intentParams(
  command: IntentCommand,
  plan: PaymentPlan,
  customer: string,
): Stripe.PaymentIntentCreateParams {
  const { coach } = plan;
  return {
    amount: plan.amountMinor,
    currency: toStripeCurrency(plan.currency),
    customer,
    description: plan.description,
    automatic_payment_methods: { enabled: true, ...(leavesNoPage(plan) ? { allow_redirects: 'never' } : {}) },
    metadata: {
      userId: command.uid,
      ...(command.attempt ? { attempt: command.attempt } : { requestId: command.requestId }),
      ...subjectOf(plan),
      ...(coach ? { coachId: coach.coachId } : {}),
    },
    ...(plan.receipt === 'stripe' && plan.email ? { receipt_email: plan.email } : {}),
    ...(plan.savePaymentMethod ? { setup_future_usage: 'off_session' } : {}),
    ...(coach ? sharing(coach) : {}),
  };
}

/** How Stripe shares a charge by itself. Of a separate charge the share is sent when it is booked (sale.service). */
function sharing({ chargeModel, stripeAccountId, feeMinor }: Share): Partial<Stripe.PaymentIntentCreateParams> {
  if (chargeModel === 'separate') return {};
  return {
    ...(chargeModel === 'destination' ? { transfer_data: { destination: stripeAccountId } } : {}),
    ...(feeMinor > 0 ? { application_fee_amount: feeMinor } : {}),
  };
}

export function paymentOf(
  ctx: Context,
  command: IntentCommand,
  plan: PaymentPlan,
  intent: Stripe.PaymentIntent,
): Payment {
  const { coach } = plan;
  return {
    ...newPayment(ctx, command, plan, intent),
    chargeModel: coach ? coach.chargeModel : 'own',
    platformFeeMinor: coach ? coach.feeMinor : zero,
    coachAmountMinor: coach ? coach.coachMinor : zero,
    ...(coach ? { coachId: coach.coachId, stripeAccountId: coach.stripeAccountId } : {}),
    ...(plan.vatLines ? { vatLines: plan.vatLines } : {}),
    receipt: plan.receipt,
    ...(plan.held ? { held: nothingHeld } : {}),
  };
}

/** The fields every new payment shares; what was charged is what Stripe's object says, compared with the plan when it is booked. */
export function newPayment(
  ctx: Context,
  command: IntentCommand,
  plan: Pick<PaymentPlan, 'amountMinor' | 'currency' | 'description' | 'vatRate' | 'customerName'> & Subject,
  intent: Stripe.PaymentIntent,
): Payment {
  const at = Timestamp.fromDate(ctx.clock.now());
  return {
    userId: command.uid,
    amount: toMajor(plan.amountMinor, plan.currency),
    amountMinor: plan.amountMinor,
    currency: plan.currency,
    date: at,
    status: statusOfIntent(intent),
    stripePaymentId: intent.id,
    description: plan.description,
    ...subjectOf(plan),
    chargeModel: 'own',
    platformFeeMinor: zero,
    coachAmountMinor: zero,
    stripeFeeMinor: null,
    netMinor: null,
    vatRate: plan.vatRate,
    refundedMinor: minor(0),
    customerName: plan.customerName,
    metadata: { ...intent.metadata },
    createdAt: at,
    updatedAt: at,
  };
}

export async function createIfMissing(ctx: Context, payment: Payment): Promise<void> {
  await ctx.db.runTransaction(async (tx) => {
    if (await store.readPayment(ctx.db, payment.stripePaymentId, tx)) return;
    const attached = await planAttach(ctx, tx, payment);
    store.createPayment(ctx.db, tx, payment);
    runWrites(tx, attached);
  });
}

/** Confirms and takes Stripe's answer into the payment at once; the events that follow change nothing more. */
export async function confirmAndMerge(
  ctx: Context,
  command: IntentCommand,
  intent: Stripe.PaymentIntent,
  paymentMethodId: string,
  how?: ConfirmHow,
): Promise<Stripe.PaymentIntent> {
  try {
    const after = await confirmIntent(ctx, command, intent, paymentMethodId, how);
    await mergeIntent(ctx, after);
    return after;
  } catch (error) {
    if (error instanceof Refusal && error.reason === 'card-declined')
      await mergeIntent(ctx, await fetchIntent(ctx, intent.id, command.stripeAccount));
    throw error;
  }
}

export async function mergeIntent(ctx: Context, intent: Stripe.PaymentIntent): Promise<void> {
  await ctx.db.runTransaction(async (tx) => {
    const payment = await store.readPayment(ctx.db, intent.id, tx);
    if (payment) runWrites(tx, await planNews(ctx, tx, payment, newsOfIntent(intent)));
  });
}
