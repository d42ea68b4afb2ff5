import type { Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { planFlag } from '../../admin/flags.service.ts';
import type { Context } from '../../platform/context.ts';
import { planLetter } from '../../platform/mail.ts';
import { idOf } from '../../platform/stripe.ts';
import type { Write } from '../../platform/write.ts';
import { handler, nothingToFetch, StaleFetch, type DispatchTable, type Outcome } from '../../webhooks/webhooks.ts';
import { adoptSubscription } from '../checkout/subscribed.service.ts';
import { readProduct } from '../products.store.ts';
import { planFee } from './fee.service.ts';
import * as letters from './letters.ts';
import { fetchInvoice, planLook, type Looked } from './look.service.ts';
import { fetchSubscription } from './mirror.service.ts';
import { subscriptionOf, type InvoiceFacts } from './renewals.ts';
import { settleSetup } from './setup.service.ts';
import { notFinalizedFlag } from './subscription-flags.ts';
import type { Subscription, SubscriptionFacts } from './subscriptions.ts';
import { bySetupIntent, readSubscription, subscriptionPath, writeSubscription } from './subscriptions.store.ts';

/** Subscriptions go back and forth, so an event is only a hint: subscription and invoice are fetched, then planned upon. */
interface Fetched extends Looked {
  /** Paths of documents that came to be before this was fetched. */
  begun: string[];
}

interface Hint {
  subscriptionId?: string | undefined;
  invoiceId?: string | undefined;
}

/** What is told beside the mirroring: a letter, under an id that names its occasion, or a flag. */
interface Told {
  ctx: Context;
  tx: Transaction;
  event: Stripe.Event;
  id: string;
  before: Subscription;
  subscription: Subscription;
  facts: SubscriptionFacts;
  invoice: InvoiceFacts | null;
}
type Tell = (told: Told) => Promise<Write[]>;

const nothing: Outcome = { outcome: 'applied', writes: [] };

const hint = (hintOf: (event: Stripe.Event) => Hint, tell?: Tell) =>
  handler({
    fetch: (ctx, event) => fetchHinted(ctx, hintOf(event), event.account),
    plan: (ctx, tx, event, fetched: Fetched | null) => planHinted(ctx, tx, event, fetched, tell),
  });

async function fetchHinted(ctx: Context, about: Hint, account: string | undefined): Promise<Fetched | null> {
  const invoice = about.invoiceId ? await fetchInvoice(ctx, about.invoiceId, account) : null;
  const id = about.subscriptionId ?? invoice?.subscriptionId;
  if (!id) return null;
  // One that was begun on a page at Stripe comes to be by the first news of it.
  const begun = await adoptSubscription(ctx, id, account);
  return { ...(await fetchSubscription(ctx, id, account)), invoice, begun };
}

async function planHinted(
  ctx: Context,
  tx: Transaction,
  event: Stripe.Event,
  fetched: Fetched | null,
  tell: Tell | undefined,
): Promise<Outcome> {
  if (!fetched) return nothing;
  const { id, facts, invoice } = fetched;
  const { subscription: before, version } = await readSubscription(ctx.db, id, tx);
  if (!before) return { outcome: 'parked', waitingFor: subscriptionPath(id) };
  if (before.stripeAccountId !== event.account) throw new Error(`${id} is not on ${event.account ?? 'the platform'}.`);
  if (version !== fetched.version) throw new StaleFetch();
  const { next, writes, created } = await planLook(ctx, tx, before, fetched);
  const told = tell ? await tell({ ctx, tx, event, id, before, subscription: next, facts, invoice }) : [];
  const then = await planFee(ctx, tx, id, next, facts);
  return { outcome: 'applied', writes: [...writes, ...told], created: [...fetched.begun, ...created], then };
}

async function nameOf({ ctx, tx, subscription }: Told): Promise<string> {
  return (await readProduct(ctx.db, subscription.productId, tx))?.name ?? subscription.productId;
}

const tellFailed: Tell = async (told) => {
  const { ctx, event, invoice, subscription } = told;
  // The first payment fails in front of the customer; one that is paid by now needs no letter.
  if (!invoice || invoice.billingReason === 'subscription_create' || invoice.status !== 'open') return [];
  const { attempt_count: attempt } = event.data.object as Stripe.Invoice;
  const letter = letters.paymentFailedLetter(subscription, await nameOf(told), invoice);
  return [planLetter(ctx.db, `subscription-unpaid_${invoice.id}_${attempt}`, letter)];
};

const tellEnded: Tell = async (told) => {
  const { ctx, id, before, facts, subscription } = told;
  const ended = facts.status === 'canceled' || facts.status === 'unpaid';
  // What was never paid has not begun, so it does not end.
  if (!ended || before.status === 'incomplete') return [];
  const occasion = facts.status === 'unpaid' ? `${id}_${facts.latestInvoice?.id ?? ''}` : id;
  const letter = letters.endedLetter(subscription, await nameOf(told), facts);
  return [planLetter(ctx.db, `subscription-ended_${occasion}`, letter)];
};

const tellTrialEnds: Tell = async (told) => {
  const { ctx, id, facts, subscription } = told;
  if (facts.status !== 'trialing' || facts.trialEnd === null || facts.cancelAtPeriodEnd) return [];
  const letter = letters.trialEndsLetter(subscription, await nameOf(told), facts.trialEnd);
  return [planLetter(ctx.db, `trial-ends_${id}_${facts.trialEnd}`, letter)];
};

const tellNotFinalized: Tell = ({ ctx, tx, id, invoice }) =>
  invoice ? planFlag(ctx, tx, notFinalizedFlag(invoice.id, subscriptionPath(id))) : Promise.resolve([]);

/** An invoice that is still to come has no id: the event itself tells all there is. */
const upcoming = handler({
  fetch: nothingToFetch,
  plan: async (ctx, tx, event): Promise<Outcome> => {
    const invoice = event.data.object as Stripe.Invoice;
    const id = subscriptionOf(invoice);
    if (!id) return nothing;
    const { subscription } = await readSubscription(ctx.db, id, tx);
    if (!subscription) return { outcome: 'parked', waitingFor: subscriptionPath(id) };
    if (subscription.stripeAccountId !== event.account || invoice.amount_due === 0) return nothing;
    const name = (await readProduct(ctx.db, subscription.productId, tx))?.name ?? subscription.productId;
    const at = invoice.next_payment_attempt ?? invoice.period_end;
    const renewal = { amountDueMinor: invoice.amount_due, currency: invoice.currency, at };
    const letter = letters.renewalReminder(subscription, name, renewal);
    return {
      outcome: 'applied',
      writes: [planLetter(ctx.db, `subscription-renews_${id}_${invoice.period_end}`, letter)],
    };
  },
});

/** A trial's payment method is there: it is to pay for the subscription. */
const setUp = handler({
  fetch: nothingToFetch,
  plan: async (ctx, tx, event): Promise<Outcome> => {
    const intent = event.data.object as Stripe.SetupIntent;
    const found = await bySetupIntent(ctx.db, tx, intent.id);
    const setupMethodId = idOf(intent.payment_method);
    if (!found || !setupMethodId) return nothing;
    return {
      outcome: 'applied',
      writes: [(t) => writeSubscription(ctx.db, t, found.id, { ...found.subscription, setupMethodId })],
      then: [(after) => settleSetup(after, found.id)],
    };
  },
});

const ofSubscription = (event: Stripe.Event): Hint => ({
  subscriptionId: (event.data.object as Stripe.Subscription).id,
});
const ofInvoice = (event: Stripe.Event): Hint => {
  const invoice = event.data.object as Stripe.Invoice;
  // Other invoices are nothing of ours and cost no call.
  return subscriptionOf(invoice) ? { invoiceId: invoice.id } : {};
};
/** A draft has nothing to pay yet; that a period has begun is news enough. */
const ofDraft = (event: Stripe.Event): Hint => ({
  subscriptionId: subscriptionOf(event.data.object as Stripe.Invoice),
});
const ofInvoicePayment = (event: Stripe.Event): Hint => {
  const { invoice } = event.data.object as Stripe.InvoicePayment;
  return { invoiceId: idOf(invoice) };
};

export const subscriptionEvents: DispatchTable = {
  'customer.subscription.created': hint(ofSubscription),
  'customer.subscription.updated': hint(ofSubscription, tellEnded),
  'customer.subscription.deleted': hint(ofSubscription, tellEnded),
  'customer.subscription.paused': hint(ofSubscription),
  'customer.subscription.resumed': hint(ofSubscription),
  'customer.subscription.trial_will_end': hint(ofSubscription, tellTrialEnds),
  'invoice.upcoming': upcoming,
  'invoice.created': hint(ofDraft),
  'invoice.finalized': hint(ofInvoice),
  'invoice.paid': hint(ofInvoice),
  'invoice_payment.paid': hint(ofInvoicePayment),
  'invoice.payment_failed': hint(ofInvoice, tellFailed),
  'invoice.payment_action_required': hint(ofInvoice, tellFailed),
  'invoice.voided': hint(ofInvoice),
  'invoice.marked_uncollectible': hint(ofInvoice),
  'invoice.finalization_failed': hint(ofInvoice, tellNotFinalized),
  'setup_intent.succeeded': setUp,
};
