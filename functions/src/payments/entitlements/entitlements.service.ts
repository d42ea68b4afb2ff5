import { isDeepStrictEqual } from 'node:util';
import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { minor, type Minor } from '../../platform/money.ts';
import type { Write } from '../../platform/write.ts';
import { readOrder } from '../orders/orders.store.ts';
import type { Payment } from '../payments.ts';
import { readProduct } from '../products.store.ts';
import type { Product } from '../products.ts';
import { noCredits, priceOfCredit, purchaseFor, returnCredit, spendCredit, type CreditsGrant } from './credits.ts';
import { viewOf, type Grant, type SubscriptionGrant } from './entitlements.ts';
import * as store from './entitlements.store.ts';
import { backMinor, hasCome, moneyIsHere } from './money.ts';

/** Something that decides what a customer may use, as it is after the change that the caller's transaction makes. */
export type EntitlementFact =
  | { of: 'payment'; payment: Payment }
  | {
      of: 'subscription';
      subscriptionId: string;
      subscription: Pick<SubscriptionGrant, 'productId' | 'coachId' | 'status' | 'latestPaymentId'> & {
        currentPeriodEnd?: Timestamp;
      };
    };

/**
 * Plans what these facts change in `customers/{uid}.entitlements`, inside the transaction that makes them true. All facts
 * of one transaction go in one call. What a payment grants is frozen when its money is first seen: the product may change.
 */
export async function planEntitlement(
  ctx: Context,
  tx: Transaction,
  userId: string,
  facts: readonly EntitlementFact[],
): Promise<Write[]> {
  const known = await knownGrants(ctx, tx, userId);
  let { grants } = known;
  for (const fact of facts) {
    grants = fact.of === 'subscription' ? withSubscription(grants, fact) : await withPayment(ctx, tx, grants, fact);
  }
  return planGrants(ctx, userId, known, grants);
}

type Grants = Record<string, Grant>;
type PaymentFact = Extract<EntitlementFact, { of: 'payment' }>;

function withSubscription(grants: Grants, fact: Extract<EntitlementFact, { of: 'subscription' }>): Grants {
  const { productId, coachId, status, latestPaymentId, currentPeriodEnd } = fact.subscription;
  const known = grants[fact.subscriptionId];
  const grant: SubscriptionGrant = {
    kind: 'subscription',
    productId,
    ...(coachId ? { coachId } : {}),
    status,
    until: currentPeriodEnd ?? null,
    ...(latestPaymentId ? { latestPaymentId } : {}),
    returned: known?.kind === 'subscription' ? known.returned : [],
  };
  return { ...grants, [fact.subscriptionId]: grant };
}

async function withPayment(ctx: Context, tx: Transaction, known: Grants, fact: PaymentFact): Promise<Grants> {
  const { payment } = fact;
  const { orderId, stripePaymentId } = payment;
  if (!hasCome(payment)) return known;
  const grants = payment.subscriptionId ? withReturned(known, payment, payment.subscriptionId) : { ...known };
  const single = payment.productId ? [{ productId: payment.productId, quantity: payment.quantity ?? 1 }] : [];
  const items = orderId ? ((await readOrder(ctx.db, orderId, tx))?.items ?? []) : single;
  for (const item of items) {
    const key = orderId ? `${stripePaymentId}_${item.productId}` : stripePaymentId;
    const existing = grants[key];
    const product = existing ? undefined : await readProduct(ctx.db, item.productId, tx);
    const grant = existing ?? (product && newGrant(ctx, payment, item, product));
    if (grant) grants[key] = paidGrant(grant, payment);
  }
  return grants;
}

/** A subscription whose latest payment went back whole gives no access until the next is paid. */
function withReturned(grants: Grants, payment: Payment, subscriptionId: string): Grants {
  const known = grants[subscriptionId];
  if (known?.kind !== 'subscription' && moneyIsHere(payment)) return { ...grants };
  const before: SubscriptionGrant =
    known?.kind === 'subscription'
      ? known
      : { kind: 'subscription', productId: payment.productId ?? '', status: 'incomplete', until: null, returned: [] };
  const others = before.returned.filter((id) => id !== payment.stripePaymentId);
  const returned = moneyIsHere(payment) ? others : [...others, payment.stripePaymentId].sort();
  return { ...grants, [subscriptionId]: { ...before, returned } };
}

function newGrant(
  ctx: Context,
  payment: Payment,
  item: { productId: string; quantity: number },
  product: Product,
): Grant | undefined {
  const { productId, quantity } = item;
  const from = payment.paidAt ?? Timestamp.fromDate(ctx.clock.now());
  const weeks = product.accessWeeks ?? null;
  if (product.kind === 'programme') return { kind: 'programme', productId, from, weeks, live: true };
  if (!product.credits || (product.kind !== 'bundle' && product.kind !== 'subscription')) return undefined;
  const ofPeriod = product.kind === 'subscription' ? (payment.periodEnd ?? null) : null;
  const until = weeks === null ? ofPeriod : Timestamp.fromMillis(from.toMillis() + weeks * 7 * 86_400_000);
  return {
    kind: 'credits',
    productId,
    ...(product.coachId ? { coachId: product.coachId } : {}),
    total: product.credits * quantity,
    amountMinor: payment.amountMinor,
    returnedMinor: minor(0),
    sessions: {},
    from,
    until,
    held: payment.held !== undefined,
  };
}

/** What the payment's money says now. Of an order only a whole return can be told to belong to an item. */
function paidGrant(grant: Grant, payment: Payment): Grant {
  const here = moneyIsHere(payment);
  if (grant.kind === 'programme') return { ...grant, live: here };
  if (grant.kind !== 'credits') return grant;
  const part = payment.orderId ? minor(0) : backMinor(payment);
  return { ...grant, returnedMinor: here ? part : grant.amountMinor };
}

/** The credit a session is booked with. */
export interface SpentCredit {
  paymentId: string;
  productId: string;
  /** What this session cost; the credits of one purchase sum to what was paid for it. */
  priceMinor: Minor;
  /** The price is still held and is released when the session is completed. */
  held: boolean;
  writes: Write[];
}

/** Plans the spending of one credit for a session, once however often it is asked. Throws `no-credits-left`. */
export async function planSpendCredit(
  ctx: Context,
  tx: Transaction,
  wanted: { userId: string; coachId: string; sessionId: string; at: Timestamp },
): Promise<SpentCredit> {
  const known = await knownGrants(ctx, tx, wanted.userId);
  const purchases = creditsOf(known.grants);
  const key = spentFrom(purchases, wanted.sessionId) ?? purchaseFor(purchases, wanted);
  const before = key === undefined ? undefined : purchases[key];
  if (key === undefined || !before) throw noCredits();
  const after = spendCredit(before, wanted.sessionId);
  return {
    paymentId: key,
    productId: after.productId,
    priceMinor: priceOfCredit(after.sessions[wanted.sessionId]?.number ?? 1, after),
    held: after.held,
    writes: planGrants(ctx, wanted.userId, known, { ...known.grants, [key]: after }),
  };
}

/** Plans that a session's credit comes back, once however often it is asked. Throws where the session has none. */
export async function planReturnCredit(
  ctx: Context,
  tx: Transaction,
  { userId, sessionId }: { userId: string; sessionId: string },
): Promise<Write[]> {
  const known = await knownGrants(ctx, tx, userId);
  const purchases = creditsOf(known.grants);
  const key = spentFrom(purchases, sessionId);
  const before = key === undefined ? undefined : purchases[key];
  if (key === undefined || !before) {
    throw new Refusal('failed-precondition', 'no-credit-spent', 'This session was not booked with a credit.');
  }
  return planGrants(ctx, userId, known, { ...known.grants, [key]: returnCredit(before, sessionId) });
}

/** Until when the credit that a session is booked with can be used; null: without an end. */
export async function creditUntil(
  ctx: Context,
  tx: Transaction,
  { userId, sessionId }: { userId: string; sessionId: string },
): Promise<Timestamp | null> {
  const purchases = creditsOf((await knownGrants(ctx, tx, userId)).grants);
  return purchases[spentFrom(purchases, sessionId) ?? '']?.until ?? null;
}

function creditsOf(grants: Grants): Record<string, CreditsGrant> {
  const found: Record<string, CreditsGrant> = {};
  for (const [key, grant] of Object.entries(grants)) if (grant.kind === 'credits') found[key] = grant;
  return found;
}

const spentFrom = (purchases: Readonly<Record<string, CreditsGrant>>, sessionId: string): string | undefined =>
  Object.keys(purchases).find((key) => purchases[key]?.sessions[sessionId] !== undefined);

interface Known {
  there: boolean;
  grants: Grants;
}

async function knownGrants(ctx: Context, tx: Transaction, userId: string): Promise<Known> {
  const { there, entitlements } = await store.readEntitlements(ctx.db, userId, tx);
  return { there, grants: entitlements?.grants ?? {} };
}

function planGrants(ctx: Context, userId: string, known: Known, grants: Grants): Write[] {
  if (isDeepStrictEqual(known.grants, grants)) return [];
  const entitlements = viewOf(grants);
  const { there } = known;
  return [(tx) => store.writeEntitlements(ctx.db, tx, userId, { entitlements, there, now: ctx.clock.now() })];
}
