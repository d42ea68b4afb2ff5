import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { planFlag } from '../../admin/flags.service.ts';
import { FinalRefusal } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { toMajor } from '../../platform/money.ts';
import { expanded, idOf } from '../../platform/stripe.ts';
import type { Write } from '../../platform/write.ts';
import { planAttach } from '../moves.service.ts';
import { intentParams, mergeIntent, paymentOf } from '../payments.service.ts';
import { createPayment, paymentPath, readPayment, updatePayment } from '../payments.store.ts';
import type { Payment } from '../payments.ts';
import type { PaymentPlan } from '../plans.ts';
import { asPending, intentData, movedBy, owedOn, strangeness, type Checkout } from './checkout.ts';
import * as store from './checkout.store.ts';

export interface PlannedPage {
  writes: Write[];
  created: string[];
  then: ((ctx: Context) => Promise<void>)[];
}

/**
 * What a look at Stripe's page changes: the page's document, and the payment that was made on it. The payment is made from
 * what was frozen when the page was opened; Stripe's object only says how much of it a promotion code left to pay.
 */
export async function planPage(
  ctx: Context,
  tx: Transaction,
  checkout: Checkout,
  session: Stripe.Checkout.Session,
  intent = expanded<Stripe.PaymentIntent>(session.payment_intent),
): Promise<PlannedPage> {
  const strange = strangeness(checkout, session);
  if (strange) return { writes: await flagStrange(ctx, tx, checkout, strange), created: [], then: [] };
  const moved = movedBy(checkout, session);
  const { purchase } = checkout;
  const bought =
    purchase.mode === 'payment' && intent
      ? await planBought(ctx, tx, checkout, owedOn(checkout, purchase.payment, session), intent)
      : { writes: [], created: [], then: [] };
  const subscriptionId = idOf(session.subscription);
  const free = purchase.mode === 'payment' && session.payment_status === 'no_payment_required';
  const patch = {
    ...moved,
    ...(purchase.mode === 'payment' && intent ? { paymentId: intent.id } : {}),
    ...(subscriptionId ? { subscriptionId } : {}),
    updatedAt: Timestamp.fromDate(ctx.clock.now()),
  };
  return {
    ...bought,
    writes: [
      ...bought.writes,
      ...(free ? await flagFree(ctx, tx, checkout) : []),
      (t) => store.updateCheckout(ctx.db, t, checkout.id, patch),
    ],
  };
}

async function planBought(
  ctx: Context,
  tx: Transaction,
  checkout: Checkout,
  owed: PaymentPlan,
  intent: Stripe.PaymentIntent,
): Promise<PlannedPage> {
  // The intent's own events say the same; this is for when they came to nothing.
  const then = [(context: Context) => mergeIntent(context, intent)];
  const known = await readPayment(ctx.db, intent.id, tx);
  if (known) return { writes: recounted(ctx, known, owed), created: [], then };
  const { userId: uid, requestId, createdAt } = checkout;
  const command = { uid, requestId, startedAt: createdAt.toDate() };
  const { metadata } = intentData(intentParams(command, owed, checkout.stripeCustomerId), requestId);
  const payment = asPending(paymentOf(ctx, command, owed, intent), stringsOf(metadata));
  const attached = await planAttached(ctx, tx, payment);
  return {
    writes: [(t) => createPayment(ctx.db, t, payment), ...attached],
    created: [paymentPath(intent.id)],
    then,
  };
}

/** A code that was typed after a card was declined: what is owed is less than it was. */
function recounted(ctx: Context, { stripePaymentId: id, status, amountMinor }: Payment, owed: PaymentPlan): Write[] {
  if (owed.amountMinor === amountMinor || (status !== 'pending' && status !== 'failed')) return [];
  const amount = toMajor(owed.amountMinor, owed.currency);
  const updatedAt = Timestamp.fromDate(ctx.clock.now());
  return [(t) => updatePayment(ctx.db, t, id, { amount, amountMinor: owed.amountMinor, updatedAt })];
}

const stringsOf = (metadata: Stripe.MetadataParam | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata ?? {}).map(([key, value]) => [key, String(value)]));

/** An order or a session that is closed or paid meanwhile is not this payment's; whoever moves the payment on tells a person. */
async function planAttached(ctx: Context, tx: Transaction, payment: Payment): Promise<Write[]> {
  try {
    return await planAttach(ctx, tx, payment);
  } catch (error) {
    if (error instanceof FinalRefusal) return [];
    throw error;
  }
}

function flagStrange(ctx: Context, tx: Transaction, { id }: Checkout, strange: string): Promise<Write[]> {
  return planFlag(ctx, tx, {
    id: `checkout-differs_${id}`,
    kind: 'checkout-differs',
    severity: 'critical',
    subject: store.checkoutPath(id),
    message: `Stripe's page is not as it was opened: ${strange}. Nothing was booked for it.`,
    action:
      'Find out in the Stripe dashboard who changed it. Refund what was paid there, or settle it with the customer.',
  });
}

/** Without money there is no payment, and nothing here that would open what was bought. */
function flagFree(ctx: Context, tx: Transaction, { id, userId }: Checkout): Promise<Write[]> {
  return planFlag(ctx, tx, {
    id: `checkout-free_${id}`,
    kind: 'checkout-free',
    severity: 'warning',
    subject: store.checkoutPath(id),
    message: `${userId} bought with a promotion code that left nothing to pay, so there is no payment.`,
    action: 'Give them what they bought by hand, and look whether the code was meant to take off all of the price.',
  });
}
