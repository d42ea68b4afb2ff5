import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type { Caller } from '../../platform/auth.ts';
import { days, hours } from '../../platform/clock.ts';
import { runCommand } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { toMajor, type Currency, type Minor } from '../../platform/money.ts';
import { acceptedCurrencies, requireForSale } from '../products.ts';
import { readProduct, writeStock } from '../products.store.ts';
import { shareOf } from '../shares.service.ts';
import { describe, draftOrder, type Draft, type Order, type OrderKind, type Wanted } from './orders.ts';
import * as store from './orders.store.ts';

export interface CreateOrderInput {
  items: { productId: string; quantity: number }[];
  kind?: OrderKind | undefined;
  requestId: string;
}

export interface CreateOrderReply {
  orderId: string;
  amount: number;
  amountMinor: Minor;
  currency: Currency;
}

const createOrderCommand = 'createOrder';

/** Makes an order of catalogue items. Prices, share and stock are settled in the one commit that also accepts the command. */
export async function createOrder(ctx: Context, caller: Caller, input: CreateOrderInput): Promise<CreateOrderReply> {
  return runCommand<CreateOrderReply, CreateOrderReply>(ctx, {
    command: createOrderCommand,
    uid: caller.uid,
    requestId: input.requestId,
    input,
    plan: (tx) => placeOrder(ctx, tx, caller.uid, input),
  });
}

async function placeOrder(
  ctx: Context,
  tx: Transaction,
  uid: string,
  { items, kind = 'order' }: CreateOrderInput,
): Promise<CreateOrderReply> {
  const wanted = await Promise.all(items.map((item) => readWanted(ctx, tx, item)));
  const draft = draftOrder(wanted);
  const { coachId, amountMinor, currency } = draft;
  const name = describe(draft.items);
  const share = coachId ? await shareOf(ctx, tx, coachId, { name, amountMinor, currency }) : undefined;
  const orderId = store.newOrderId(ctx.db);
  const order = newOrder(ctx, uid, kind, draft);
  store.createOrder(ctx.db, tx, orderId, share ? { ...order, share } : order);
  for (const { productId, quantity, product } of wanted) {
    if (product.stock !== undefined) writeStock(ctx.db, tx, productId, product.stock - quantity);
  }
  return { orderId, amount: order.amount, amountMinor, currency };
}

async function readWanted(
  ctx: Context,
  tx: Transaction,
  { productId, quantity }: CreateOrderInput['items'][number],
): Promise<Wanted> {
  const product = await readProduct(ctx.db, productId, tx);
  return { productId, quantity, product: requireForSale(productId, product, acceptedCurrencies(ctx.config)) };
}

function newOrder(ctx: Context, userId: string, kind: OrderKind, draft: Draft): Order {
  const now = ctx.clock.now();
  const at = Timestamp.fromDate(now);
  const { orderLifetimeHours, invoiceLifetimeDays } = ctx.config;
  const lifetime = kind === 'order' || kind === 'booking' ? hours(orderLifetimeHours) : days(invoiceLifetimeDays);
  return {
    userId,
    ...draft,
    amount: toMajor(draft.amountMinor, draft.currency),
    kind,
    status: 'open',
    paymentStatus: 'unpaid',
    expiresAt: Timestamp.fromMillis(now.getTime() + lifetime),
    createdAt: at,
    updatedAt: at,
  };
}
