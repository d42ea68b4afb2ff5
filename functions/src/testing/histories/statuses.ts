import type { Dispute as OurDispute } from '../../payments/disputes/disputes.ts';
import type { Invoice } from '../../payments/invoices/invoices.ts';
import type { Refund } from '../../payments/refunds/refunds.ts';
import type { Subscription } from '../../payments/subscriptions/subscriptions.ts';
import type { Transfer } from '../../payments/transfers/transfers.ts';
import type { StoredEvent } from '../../webhooks/webhooks.ts';
import type { Checked } from './checks.ts';
import { byHand } from './players.ts';
import { booksOf, idOf, statusOf, sum, type Dispute } from './stripe-says.ts';

type Said = Record<string, unknown>;

/** Differences between two sides, object by object; `there` is Stripe's. */
function differences(what: string, there: ReadonlyMap<string, Said>, here: ReadonlyMap<string, Said>): string[] {
  return [...new Set([...there.keys(), ...here.keys()])].flatMap((id) => {
    const [said, held] = [JSON.stringify(there.get(id)), JSON.stringify(here.get(id))];
    return said === held ? [] : [`${what} ${id}: Stripe has ${said ?? 'none'}, we ${held ?? 'none'}`];
  });
}

const keyed = <T, S extends Said>(items: readonly T[], id: (item: T) => string, say: (item: T) => S): Map<string, S> =>
  new Map(items.map((item) => [id(item), say(item)]));

export function paymentsDiffer({ payments, money, orders }: Checked): string[] {
  const there = keyed(
    [...money.values()],
    ({ intent }) => intent.id,
    (each) => ({ status: statusOf(each), amount: each.intent.amount, refunded: each.refundedMinor }),
  );
  const here = new Map(
    [...payments].map(([id, { status, amountMinor, refundedMinor }]) => {
      // What failed once is called so until it is paid, also while another try is under way.
      const trying = status === 'failed' && there.get(id)?.status === 'pending';
      return [id, { status: trying ? 'pending' : status, amount: amountMinor, refunded: refundedMinor }];
    }),
  );
  const ofOrders = [...orders].flatMap(([id, { activePaymentId = '', paymentStatus }]) => {
    const status = there.get(activePaymentId)?.status ?? 'none';
    const fits = (orderStatuses[status] ?? []).includes(paymentStatus);
    return fits ? [] : [`order ${id} is ${paymentStatus}, its payment ${status}`];
  });
  return [...differences('payment', there, here), ...ofOrders];
}

const orderStatuses: Record<string, string[]> = {
  none: ['unpaid'],
  pending: ['unpaid', 'pending', 'failed'],
  failed: ['failed'],
  canceled: ['unpaid', 'failed'],
  succeeded: ['paid'],
  disputed: ['paid', 'partially_refunded', 'refunded'],
  partially_refunded: ['partially_refunded'],
  refunded: ['refunded'],
};

export async function refundsDiffer({ stage, money }: Checked): Promise<string[]> {
  const refunds = await stage.all<Refund>('refunds');
  const there = keyed(
    [...money.values()].flatMap((each) => each.refunds),
    ({ id }) => id,
    ({ status, amount }) => ({ status, amount }),
  );
  const here = keyed(
    refunds.filter(({ stripeRefundId }) => stripeRefundId),
    ({ stripeRefundId }) => stripeRefundId ?? '',
    ({ status, amountMinor }) => ({ status, amount: amountMinor }),
  );
  const open = refunds.filter(({ stripeRefundId, status }) => !stripeRefundId && status !== 'refused');
  return [...differences('refund', there, here), ...open.map((each) => `refund ${each.refundId} is ${each.status}`)];
}

export async function disputesDiffer({ stage, money }: Checked): Promise<string[]> {
  const moved = (dispute: Dispute, sign: 1 | -1) =>
    sum(dispute.balance_transactions.map(({ amount }) => Math.max(0, sign * amount)));
  const there = keyed(
    [...money.values()].flatMap((each) => each.disputes),
    ({ id }) => id,
    (dispute) => ({ status: dispute.status, withdrawn: moved(dispute, -1), reinstated: moved(dispute, 1) }),
  );
  const { docs } = await stage.ctx.db.collection('disputes').get();
  const here = keyed(
    docs,
    ({ id }) => id,
    (doc) => {
      const { status, withdrawnMinor, reinstatedMinor } = doc.data() as OurDispute;
      return { status, withdrawn: withdrawnMinor, reinstated: reinstatedMinor };
    },
  );
  return differences('dispute', there, here);
}

export async function subscriptionsDiffer({ stage }: Checked): Promise<string[]> {
  const books = booksOf(stage);
  const seconds = (at: { toMillis(): number } | undefined) => (at ? at.toMillis() / 1000 : null);
  const there = keyed(
    books.flatMap((book) => book.subscriptions.values()),
    ({ id }) => id,
    ({ status, items, cancel_at }) => ({
      status,
      quantity: items.data[0]?.quantity ?? 1,
      end: items.data[0]?.current_period_end ?? null,
      cancelAt: cancel_at,
    }),
  );
  const { docs } = await stage.ctx.db.collection('subscriptions').get();
  const here = keyed(
    docs,
    ({ id }) => id,
    (doc) => {
      const { status, quantity, currentPeriodEnd, cancelAt } = doc.data() as Subscription;
      return { status, quantity, end: seconds(currentPeriodEnd), cancelAt: seconds(cancelAt) };
    },
  );
  const invoicesThere = keyed(
    books.flatMap((book) => book.invoices.values()),
    ({ id }) => id,
    ({ status, total }) => ({ status, total }),
  );
  const invoicesHere = keyed(
    (await stage.ctx.db.collection('invoices').get()).docs,
    ({ id }) => id,
    (doc) => {
      const { status, amountMinor } = doc.data() as Invoice;
      return { status, total: amountMinor };
    },
  );
  return [...differences('subscription', there, here), ...differences('invoice', invoicesThere, invoicesHere)];
}

/** Our orders to send shares and to take them back, and what Stripe sent and took besides what goes with charges and refunds. */
export async function transfersDiffer({ stage }: Checked): Promise<string[]> {
  const { platform } = stage.core.world;
  const ofCharges = new Set(platform.charges.values().map(({ transfer }) => idOf(transfer)));
  const there = new Map<string, Said>(
    platform.transfers
      .values()
      .filter(({ id }) => !ofCharges.has(id))
      .map(({ id, amount, destination }) => [id, { amount, destination: idOf(destination) }]),
  );
  for (const { id, amount, source_refund, metadata } of platform.reversals.values())
    if (source_refund === null && metadata?.by !== byHand.by) there.set(id, { amount, destination: '' });
  const orders = await stage.all<Transfer>('transfers');
  const here = new Map<string, Said>();
  const open: string[] = [];
  for (const order of orders) {
    const made = order.kind === 'transfer' ? order.stripeTransferId : order.stripeReversalId;
    if (made)
      here.set(made, {
        amount: order.amountMinor,
        destination: order.kind === 'transfer' ? order.stripeAccountId : '',
      });
    else if (order.status !== 'refused' && order.status !== 'canceled')
      open.push(`transfer of ${order.amountMinor} for ${order.paymentId} is ${order.status}`);
  }
  return [...differences('transfer', there, here), ...open];
}

/** Whatever came was applied or is on the list of what is ignored. */
export async function eventsLeft({ stage }: Checked): Promise<string[]> {
  const { docs } = await stage.ctx.db.collection('stripeEvents').get();
  return docs.flatMap((doc) => {
    const { state, type, error, waitingFor } = doc.data() as StoredEvent;
    const done = state === 'applied' || state === 'ignored';
    return done ? [] : [`${type} ${doc.id} is ${state}: ${error ?? waitingFor ?? ''}`];
  });
}
