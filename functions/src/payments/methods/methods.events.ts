import type { Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { planFlag } from '../../admin/flags.service.ts';
import type { Context } from '../../platform/context.ts';
import type { Write } from '../../platform/write.ts';
import { handler, StaleFetch, type DispatchTable, type Outcome } from '../../webhooks/webhooks.ts';
import { ownerOf, readVersioned } from '../customers.store.ts';
import { readMethod } from './methods.store.ts';
import { customerIdOf, fetchCustomer, planCustomer, type FetchedCustomer } from './mirror.service.ts';

/**
 * Customers and their payment methods: every event is a hint to fetch the customer and all their methods. One about a
 * customer that none of our users has (made by hand at Stripe) changes nothing; a user's customer is known before anything
 * can be saved to it. Customers on connected accounts are theirs: what is saved there cannot be used on the platform.
 */
const customerHint = (
  customerIdIn: (ctx: Context, event: Stripe.Event) => Promise<string | undefined>,
  also: (ctx: Context, tx: Transaction, event: Stripe.Event) => Promise<Write[]> = async () => [],
) =>
  handler<FetchedCustomer | null>({
    fetch: async (ctx, event) => {
      if (event.account) return null;
      const id = await customerIdIn(ctx, event);
      return id === undefined ? null : fetchCustomer(ctx, id);
    },
    plan: async (ctx, tx, event, fetched): Promise<Outcome> => {
      const more = event.account ? [] : await also(ctx, tx, event);
      if (!fetched) return { outcome: 'applied', writes: more };
      const writes = await planCustomer(ctx, tx, fetched);
      if (!writes) throw new StaleFetch(`customers/${fetched.uid} changed after it was fetched.`);
      return { outcome: 'applied', writes: [...more, ...writes] };
    },
  });

const ofCustomer = async (_ctx: Context, event: Stripe.Event) => (event.data.object as Stripe.Customer).id;
const ofSetup = async (_ctx: Context, event: Stripe.Event) => customerIdOf(event.data.object as Stripe.SetupIntent);

/** One that was detached no longer says whose it was: the event does, or our document. */
async function ofMethod(ctx: Context, event: Stripe.Event): Promise<string | undefined> {
  const method = event.data.object as Stripe.PaymentMethod;
  const before = event.data.previous_attributes as { customer?: string | null } | undefined;
  const told = customerIdOf(method) ?? before?.customer;
  if (told) return told;
  const known = await readMethod(ctx.db, method.id);
  return known && (await readVersioned(ctx.db, known.userId))?.customer.stripeCustomerId;
}

/** A customer that says it is a user's who has another: two of them would hold cards and subscriptions of one person. */
async function planSecondCustomer(ctx: Context, tx: Transaction, event: Stripe.Event): Promise<Write[]> {
  const { id, metadata } = event.data.object as Stripe.Customer;
  const uid = metadata.userId;
  if (!uid || uid.includes('/') || (await ownerOf(ctx.db, id, tx))) return [];
  const known = (await readVersioned(ctx.db, uid, tx))?.customer;
  if (!known?.stripeCustomerId || known.formerCustomerIds?.includes(id)) return [];
  return planFlag(ctx, tx, {
    id: `customer-second_${id}`,
    kind: 'customer-second',
    severity: 'warning',
    subject: `customers/${uid}`,
    message: `${id} was made at Stripe for a user who has ${known.stripeCustomerId}. It is not used.`,
    action: 'If nothing hangs on it, delete it in the Stripe dashboard.',
  });
}

const methodChanged = customerHint(ofMethod);
const setupMoved = customerHint(ofSetup);
const customerChanged = customerHint(ofCustomer);

export const methodEvents: DispatchTable = {
  'payment_method.attached': methodChanged,
  'payment_method.detached': methodChanged,
  'payment_method.updated': methodChanged,
  'payment_method.automatically_updated': methodChanged,
  'setup_intent.succeeded': setupMoved,
  'setup_intent.setup_failed': setupMoved,
  'setup_intent.requires_action': setupMoved,
  'setup_intent.canceled': setupMoved,
  'customer.created': customerHint(ofCustomer, planSecondCustomer),
  'customer.updated': customerChanged,
  'customer.deleted': customerChanged,
};
