import { syncBooks } from '../../accounting/accounting.service.ts';
import type { Voucher } from '../../accounting/accounting.ts';
import { postOne } from '../../accounting/posting.service.ts';
import { answer } from '../../platform/entrance.ts';
import { days } from '../../platform/clock.ts';
import { refundPaymentSpec } from '../../payments/refunds/refunds.api.ts';
import { payCoach, readPayout } from '../../payouts/payouts.service.ts';
import { createOrder } from '../../payments/orders/orders.service.ts';
import { processPayment } from '../../payments/payments.service.ts';
import { people, type Stage } from './play.ts';

/** What there must be before some callables can be called. */

export async function subscribed(stage: Stage): Promise<string> {
  const { subscriptionId } = await stage.subscribe('premium');
  await stage.hear();
  return subscriptionId;
}

/** An order of Eva's that she has begun to pay. */
export async function ordered({ ctx }: Stage): Promise<string> {
  const items = [{ productId: 'programme', quantity: 1 }];
  const { orderId } = await createOrder(ctx, people.customer, { items, requestId: 'to-be-canceled' });
  await processPayment(ctx, people.customer, { orderId, requestId: 'to-be-closed' });
  return orderId;
}

/** A sale whose share is paid out to Karin and has arrived. */
export async function paidOut(stage: Stage): Promise<string> {
  await stage.buy();
  const dueDate = '2026-11-23';
  await payCoach(stage.ctx, { coachId: 'karin', currency: 'SEK', dueDate, runId: dueDate });
  await stage.advance(days(4));
  await stage.deliver();
  return `karin_SEK_${dueDate}_1`;
}

/** A payout that was canceled at Stripe before it left. */
export async function canceledPayout(stage: Stage): Promise<string> {
  await stage.buy();
  const dueDate = '2026-11-23';
  await payCoach(stage.ctx, { coachId: 'karin', currency: 'SEK', dueDate, runId: dueDate });
  const payoutId = `karin_SEK_${dueDate}_1`;
  const { stripePayoutId = '', stripeAccountId = '' } = (await readPayout(stage.ctx, payoutId)) ?? {};
  await stage.stripe.payouts.cancel(stripePayoutId, {}, { stripeAccount: stripeAccountId });
  await stage.deliver();
  return payoutId;
}

/** A refund above the limit, which waits for a second administrator. */
export async function awaitingApproval(stage: Stage): Promise<string> {
  const paymentId = await stage.buy();
  stage.ctx.config.refundApprovalLimit = 0;
  const input = { paymentId, requestId: 'to-be-approved' };
  const reply = await answer(stage.ctx, refundPaymentSpec, people.admin, input);
  if (!('approvalId' in reply)) throw new Error('The refund needed nobody’s approval.');
  return reply.approvalId;
}

/** A sale whose customer's bank has just disputed it. */
export async function disputed(stage: Stage): Promise<string> {
  await stage.buy({ card: 'pm_card_createDispute' });
  await stage.deliver();
  return (await stage.stripe.disputes.list()).data[0]?.id ?? '';
}

/** A dispute that Karin has lost after her share was paid out, and whose share Stripe does not take back. */
export async function owing(stage: Stage): Promise<void> {
  await stage.control('stripe', 'switches', { disputeAfterSeconds: days(9) / 1000 });
  await stage.buy({ card: 'pm_card_createDispute' });
  await stage.advance(days(8));
  await payCoach(stage.ctx, { coachId: 'karin', currency: 'SEK', dueDate: '2026-11-23', runId: '2026-11-23' });
  await stage.deliver();
  await stage.advance(days(2));
  await stage.deliver();
  const [dispute] = (await stage.stripe.disputes.list()).data;
  const evidence = { uncategorized_text: 'losing_evidence' };
  await stage.stripe.disputes.update(dispute?.id ?? '', { evidence, submit: true });
  await stage.advance(days(1));
  await stage.deliver();
}

/** A sale whose voucher is in Fortnox, and which the books see otherwise by now. */
export async function bookedOtherwise(stage: Stage): Promise<string> {
  const { ctx } = stage;
  await stage.buy();
  await syncBooks(ctx, stage.now());
  const vouchers = (await ctx.db.collection('vouchers').get()).docs.map((doc) => doc.data() as Voucher);
  for (const { id } of vouchers) await postOne(ctx, id);
  ctx.config.accountingProfile = 'agent';
  return vouchers.find(({ kind }) => kind === 'sale')?.id ?? '';
}
