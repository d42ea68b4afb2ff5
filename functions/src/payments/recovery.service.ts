import { approvedActions } from '../admin/actions.service.ts';
import {
  approveOperationCommand,
  executeDecision,
  rejectOperationCommand,
  type DecisionPlan,
} from '../admin/decisions.service.ts';
import { raiseFlag } from '../admin/flags.service.ts';
import * as byHand from '../payouts/by-hand.service.ts';
import { executePlatform, payPlatformCommand, type PlatformPlan } from '../payouts/platform/platform.service.ts';
import { hours, minutes } from '../platform/clock.ts';
import { finish, type CommandRecord } from '../platform/commands.ts';
import type { Context } from '../platform/context.ts';
import { messageOf, Refusal } from '../platform/errors.ts';
import { runWrites } from '../platform/write.ts';
import { releaseParked } from '../webhooks/webhooks.service.ts';
import { fetchIntent, type IntentCommand } from './intents.service.ts';
import * as changes from './subscriptions/changes.service.ts';
import type { ChangePlan } from './subscriptions/changes.ts';
import { executeSubscription } from './subscriptions/start.service.ts';
import type { SubscriptionPlan } from './subscriptions/start.ts';
import { createSubscriptionCommand } from './subscriptions/subscriptions.service.ts';
import { executePayment, processPaymentCommand } from './payments.service.ts';
import type { PaymentPlan } from './plans.ts';
import { createCheckoutCommand, executeCheckout, type CheckoutPlan } from './checkout/checkout.service.ts';
import { createSetupIntentCommand, executeSetup } from './methods/methods.service.ts';
import { executeSend, sendInvoiceCommand, type SendInvoicePlan } from './invoices/invoices.service.ts';
import * as store from './payments.store.ts';
import { executeEvidence, submitEvidenceCommand, type EvidencePlan } from './disputes/evidence.service.ts';
import { executeRefund, refundPaymentCommand, type RefundPlan } from './refunds/refunds.service.ts';
import { newsOfIntent } from './charged.ts';
import { planNews } from './moves.service.ts';
import { cancelOrderCommand, executeCancelOrder, type CancelOrderPlan } from './orders/cancel.service.ts';
import { tenantAccountOf, type Payment } from './payments.ts';
import { fetchSale, noSale, planSale } from './sale.service.ts';
import { idOf } from '../platform/stripe.ts';

const perCall = 100;

/**
 * For the sweep: finishes commands that a crash or an unclear answer left open, under the same keys, and books sales whose
 * events never came.
 */
export async function resumeCommands(ctx: Context, now: Date): Promise<{ resumed: number; booked: number }> {
  let resumed = 0;
  for (const record of await store.unfinishedCommands<object, object>(
    ctx.db,
    new Date(now.getTime() - minutes(5)),
    perCall,
  )) {
    if (await resume(ctx, record, now)) resumed++;
  }
  let booked = 0;
  for (const payment of await store.succeededUnbooked(ctx.db, new Date(now.getTime() - minutes(15)), perCall)) {
    if (await bookMissing(ctx, payment)) booked++;
  }
  return { resumed, booked };
}

type Resumer = (ctx: Context, command: IntentCommand, plan: object) => Promise<object>;

const resumeChange: Resumer = (ctx, command, plan) => changes.finishChange(ctx, command, plan as ChangePlan);

const resumeDecision: Resumer = (ctx, _command, plan) => executeDecision(ctx, plan as DecisionPlan, approvedActions);

/** By command: how one is finished for a customer who is gone. */
const resumers: Readonly<Record<string, Resumer>> = {
  [processPaymentCommand]: async (ctx, command, plan) => {
    const { id } = await executePayment(ctx, command, plan as PaymentPlan);
    return { paymentId: id };
  },
  [cancelOrderCommand]: (ctx, _command, plan) => executeCancelOrder(ctx, plan as CancelOrderPlan),
  [createSetupIntentCommand]: (ctx, command, plan) => executeSetup(ctx, command, plan),
  [createCheckoutCommand]: (ctx, command, plan) => executeCheckout(ctx, command, plan as CheckoutPlan),
  [createSubscriptionCommand]: (ctx, command, plan) => executeSubscription(ctx, command, plan as SubscriptionPlan),
  [changes.updateSubscriptionCommand]: resumeChange,
  [changes.cancelSubscriptionCommand]: resumeChange,
  [changes.resumeSubscriptionCommand]: resumeChange,
  [refundPaymentCommand]: (ctx, _command, plan) => executeRefund(ctx, plan as RefundPlan),
  [submitEvidenceCommand]: (ctx, command, plan) => executeEvidence(ctx, command, plan as EvidencePlan),
  [sendInvoiceCommand]: (ctx, command, plan) => executeSend(ctx, command, plan as SendInvoicePlan),
  [byHand.runPayoutsCommand]: (ctx, _command, plan) => byHand.executeRun(ctx, plan as byHand.RunPlan),
  [byHand.requestPayoutCommand]: (ctx, _command, plan) => byHand.executeOne(ctx, plan as byHand.OnePayout),
  [payPlatformCommand]: (ctx, _command, plan) => executePlatform(ctx, plan as PlatformPlan),
  [byHand.retryPayoutCommand]: (ctx, _command, plan) => byHand.executeOne(ctx, plan as byHand.OnePayout),
  [approveOperationCommand]: resumeDecision,
  [rejectOperationCommand]: resumeDecision,
};

async function resume(ctx: Context, record: CommandRecord<object, object>, now: Date): Promise<boolean> {
  const command = (startedAt: Date): IntentCommand => ({
    uid: record.uid,
    requestId: record.requestId,
    startedAt,
    customerGone: true,
  });
  try {
    await finish<object, object>(ctx, record, async (plan, startedAt) => {
      const resumer = resumers[record.command];
      if (!resumer) throw new Error(`No one resumes the command ${record.command}.`);
      return resumer(ctx, command(startedAt), plan);
    });
    return true;
  } catch (error) {
    ctx.log.warn('command.not-resumed', {
      command: record.command,
      requestId: record.requestId,
      error: messageOf(error),
    });
    if (!(error instanceof Refusal) && now.getTime() - record.createdAt.toMillis() > hours(24)) {
      await raiseFlag(ctx, {
        id: `command-stuck_${record.uid}_${record.requestId}`,
        kind: 'command-stuck',
        severity: 'warning',
        subject: `requests/${record.uid}_${record.requestId}`,
        message: `${record.command} has been open for a day: ${messageOf(error)}`,
        action:
          'Look in the Stripe dashboard for a payment with this requestId in its metadata and tell the customer where it stands.',
      });
    }
    return false;
  }
}

/** Books one sale whose events were lost. Returns whether it is booked now. */
async function bookMissing(ctx: Context, unbooked: Payment): Promise<boolean> {
  const paymentId = unbooked.stripePaymentId;
  const stripeAccount = tenantAccountOf(unbooked);
  const intent = await fetchIntent(ctx, paymentId, stripeAccount);
  const chargeId = idOf(intent.latest_charge);
  const facts = chargeId ? await fetchSale(ctx, chargeId, stripeAccount) : undefined;
  if (!facts) {
    await raiseFlag(ctx, {
      id: `sale-unbooked_${paymentId}`,
      kind: 'sale-unbooked',
      severity: 'warning',
      subject: `payments/${paymentId}`,
      message: 'The payment succeeded and Stripe has not yet said how it booked it.',
      action:
        'Look at the charge in the Stripe dashboard. The sweep books it as soon as its balance transactions are there.',
    });
    return false;
  }
  const booked = await ctx.db.runTransaction(async (tx) => {
    const payment = await store.readPayment(ctx.db, paymentId, tx);
    if (!payment) return noSale;
    const sale = await planSale(ctx, tx, payment, facts, undefined);
    const news = await planNews(ctx, tx, payment, newsOfIntent(intent), sale.patch);
    runWrites(tx, [...sale.writes, ...news]);
    return sale;
  });
  for (const path of booked.created) await releaseParked(ctx, path);
  for (const follow of booked.then) await follow(ctx);
  return true;
}
