import { FieldValue, Timestamp, type Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { planFlag } from '../../admin/flags.service.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { classifyStripeError, idOf } from '../../platform/stripe.ts';
import { runWrites, type Write } from '../../platform/write.ts';
import { ownerOf, readVersioned, updateCustomer, type VersionedCustomer } from '../customers.store.ts';
import { refusalOf } from '../intents.service.ts';
import { withTimeLeft } from '../subscriptions/subscriptions.store.ts';
import { methodFacts, mirrorMethod, type MethodFacts } from './methods.ts';
import * as store from './methods.store.ts';

/**
 * A customer and all their payment methods as Stripe has them at one moment. They go back and forth and hang together (one
 * is the default), so they are fetched and saved as a whole, and only while the customer's document is as it was before.
 */
export interface FetchedCustomer {
  uid: string;
  stripeCustomerId: string;
  version: string;
  /** Gone at Stripe. */
  deleted: boolean;
  defaultId: string | null;
  methods: MethodFacts[];
}

const mostMethods = 500;

/** Null: none of our users has this customer. */
export async function fetchCustomer(ctx: Context, stripeCustomerId: string): Promise<FetchedCustomer | null> {
  const owner = await ownerOf(ctx.db, stripeCustomerId);
  if (!owner) return null;
  const { uid, version } = owner;
  const stripe = await ctx.stripe();
  const found = await stripe.customers.retrieve(stripeCustomerId).catch(missing);
  if (!found || found.deleted) return { uid, stripeCustomerId, version, deleted: true, defaultId: null, methods: [] };
  const methods = await stripe.customers
    .listPaymentMethods(stripeCustomerId, { limit: 100 })
    .autoPagingToArray({ limit: mostMethods });
  const defaultId = idOf(found.invoice_settings.default_payment_method) ?? null;
  return { uid, stripeCustomerId, version, deleted: false, defaultId, methods: methods.map(methodFacts) };
}

function missing(error: unknown): undefined {
  if (classifyStripeError(error).code === 'resource_missing') return undefined;
  throw error;
}

/**
 * Plans saving what was fetched; undefined when the customer's document changed since. The document is written even when
 * nothing differs, so that a slower reader of an older state notices.
 */
export async function planCustomer(
  ctx: Context,
  tx: Transaction,
  fetched: FetchedCustomer,
): Promise<Write[] | undefined> {
  const owner = await readVersioned(ctx.db, fetched.uid, tx);
  if (owner?.version !== fetched.version) return undefined;
  const now = ctx.clock.now();
  const before = new Map((await store.methodsOf(ctx.db, fetched.uid, tx)).map((method) => [method.id, method]));
  const writes: Write[] = fetched.deleted ? await planDeletion(ctx, tx, owner, fetched) : [keepDefault(ctx, fetched)];
  for (const facts of fetched.methods) {
    const next = mirrorMethod(fetched.uid, facts, facts.id === fetched.defaultId, before.get(facts.id), now);
    if (next) writes.push((t) => store.writeMethod(ctx.db, t, next));
    before.delete(facts.id);
  }
  for (const id of before.keys()) writes.push((t) => store.deleteMethod(ctx.db, t, id));
  return writes;
}

function keepDefault(ctx: Context, { uid, defaultId }: FetchedCustomer): Write {
  const updatedAt = Timestamp.fromDate(ctx.clock.now());
  return (t) => updateCustomer(ctx.db, t, uid, { defaultPaymentMethodId: defaultId ?? FieldValue.delete(), updatedAt });
}

/** The next need makes another customer. A subscription that was running ends with its customer: that is for a person. */
async function planDeletion(
  ctx: Context,
  tx: Transaction,
  { uid }: VersionedCustomer,
  { stripeCustomerId }: FetchedCustomer,
): Promise<Write[]> {
  const now = ctx.clock.now();
  const running = await withTimeLeft(ctx.db, tx, uid, now);
  const flag = running.length
    ? await planFlag(ctx, tx, {
        id: `customer-deleted_${stripeCustomerId}`,
        kind: 'customer-deleted',
        severity: 'critical',
        subject: `customers/${uid}`,
        message: `${stripeCustomerId} was deleted at Stripe, and with it the subscriptions ${running.join(', ')} that had time left.`,
        action:
          'Find out who deleted it. Refund what the customer has paid and not had, or ask them to subscribe again: their next purchase makes a new Stripe customer.',
      })
    : [];
  const forget = {
    stripeCustomerId: FieldValue.delete(),
    customerAsked: FieldValue.delete(),
    defaultPaymentMethodId: FieldValue.delete(),
    formerCustomerIds: FieldValue.arrayUnion(stripeCustomerId),
    updatedAt: Timestamp.fromDate(now),
  };
  return [...flag, (t) => updateCustomer(ctx.db, t, uid, forget)];
}

/** Other changes of the customer's document between fetch and commit are few; after so many somebody is in a loop. */
const maxFetches = 5;

/** Brings our documents of a customer's methods up to Stripe's; for callables, whose caller waits for the truth. */
export async function refreshCustomer(ctx: Context, stripeCustomerId: string): Promise<void> {
  for (let fetches = 0; fetches < maxFetches; fetches++) {
    const fetched = await fetchCustomer(ctx, stripeCustomerId).catch((error: unknown) => {
      throw error instanceof Refusal ? error : refusalOf(classifyStripeError(error));
    });
    if (!fetched) return;
    const saved = await ctx.db.runTransaction(async (tx) => {
      const writes = await planCustomer(ctx, tx, fetched);
      if (writes) runWrites(tx, writes);
      return writes !== undefined;
    });
    if (saved) return;
  }
  throw new Refusal('aborted', 'changing-too-fast', 'Your payment methods are being changed. Try again in a moment.');
}

/** The customer's id in whatever an event is about. */
export const customerIdOf = (object: { customer?: string | Stripe.Customer | Stripe.DeletedCustomer | null }) =>
  idOf(object.customer);
