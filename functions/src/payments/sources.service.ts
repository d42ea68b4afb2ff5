import type { Transaction } from 'firebase-admin/firestore';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { owedForSession } from '../sessions/pay.service.ts';
import { owedForOrder } from './orders/pay.service.ts';
import type { Owed, Target } from './plans.ts';
import { acceptedCurrencies, requireSellable, type Product } from './products.ts';
import { readProduct } from './products.store.ts';
import { shareOf } from './shares.service.ts';

/** Says what is owed for one thing to pay for. Refuses by name what cannot be paid, or not by this caller. */
type Source = (ctx: Context, tx: Transaction, uid: string, id: string) => Promise<Owed>;

const product: Source = async (ctx, tx, _uid, productId) => {
  const sold = requireSellable(productId, await readProduct(ctx.db, productId, tx), acceptedCurrencies(ctx.config));
  if (sold.kind === 'subscription') {
    throw new Refusal(
      'failed-precondition',
      'use-create-subscription',
      `${sold.name} is a subscription. Call createSubscription.`,
    );
  }
  if (sold.kind === 'session') {
    throw new Refusal(
      'failed-precondition',
      'use-book-session',
      `${sold.name} is a session at a time of its own. Call bookSession, and pay for what it booked.`,
    );
  }
  if (sold.kind === 'bundle') return bundle(ctx, tx, productId, sold);
  const coach = sold.coachId ? await shareOf(ctx, tx, sold.coachId, sold) : undefined;
  const { amountMinor, currency, vatRate } = sold;
  return { productId, description: sold.name, amountMinor, currency, vatRate, ...(coach ? { coach } : {}) };
};

/** Sessions in advance: the price is held on the platform until they are completed; a tenant's is the tenant's own. */
async function bundle(ctx: Context, tx: Transaction, productId: string, sold: Product): Promise<Owed> {
  const { name, amountMinor, currency, vatRate } = sold;
  if (!sold.coachId || !sold.credits) {
    throw new Refusal('failed-precondition', 'bundle-incomplete', `${name} names no coach or no number of sessions.`);
  }
  const coach = await shareOf(ctx, tx, sold.coachId, { name, amountMinor, currency, sentLater: true });
  const held = coach.chargeModel === 'separate' ? { held: true as const } : {};
  return { productId, description: name, amountMinor, currency, vatRate, coach, ...held };
}

/** One source for each thing that can be paid for. */
const sources: Record<Target['kind'], Source> = {
  product,
  order: owedForOrder,
  session: owedForSession,
};

/** What the caller owes for the target, frozen: price, fee and owner come from our documents, never from the client. */
export function owedFor(ctx: Context, tx: Transaction, uid: string, target: Target): Promise<Owed> {
  return sources[target.kind](ctx, tx, uid, target.id);
}
