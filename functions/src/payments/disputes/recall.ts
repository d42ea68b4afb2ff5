import { minor, sum, type Minor } from '../../platform/money.ts';
import type { Payment } from '../payments.ts';
import { isIdle, type TakeBackOrder, type Transfer } from '../transfers/transfers.ts';

/** A part of a share that is taken back, and from which transfer. */
export interface Recall {
  of: TakeBackOrder['of'];
  amountMinor: Minor;
}

/**
 * Which transfers an amount of the coach's is taken back from. The share of a destination charge is one transfer of
 * Stripe's own; others are our orders, the newest first (a bundle has one for each session), sent or still to be sent.
 * Throws when more is to come back than was sent.
 */
export function recallsOf(
  payment: Pick<Payment, 'chargeModel' | 'stripeTransferId' | 'stripePaymentId'>,
  orders: ReadonlyMap<string, Transfer>,
  wanted: Minor,
): Recall[] {
  if (payment.chargeModel === 'destination' && payment.stripeTransferId) {
    return [{ of: { stripeTransferId: payment.stripeTransferId }, amountMinor: wanted }];
  }
  const recalls: Recall[] = [];
  let left: number = wanted;
  for (const [orderId, order] of newestFirst(orders)) {
    if (order.kind !== 'transfer' || order.status === 'canceled') continue;
    const amountMinor = minor(Math.min(left, order.amountMinor - takenBack(orders, orderId, order.stripeTransferId)));
    if (amountMinor > 0) recalls.push({ of: { orderId }, amountMinor });
    left -= Math.max(0, amountMinor);
  }
  if (left > 0)
    throw new Error(`payments/${payment.stripePaymentId}: ${left} öre more are to come back than were sent.`);
  return recalls;
}

const newestFirst = (orders: ReadonlyMap<string, Transfer>): [string, Transfer][] =>
  [...orders].sort(([, a], [, b]) => b.createdAt.toMillis() - a.createdAt.toMillis());

function takenBack(orders: ReadonlyMap<string, Transfer>, orderId: string, stripeTransferId?: string): Minor {
  const backs = [...orders.values()].filter(
    (order) =>
      order.kind === 'reversal' &&
      order.status !== 'canceled' &&
      (order.ofOrderId === orderId || (stripeTransferId !== undefined && order.ofTransferId === stripeTransferId)),
  );
  return sum(backs.map(({ amountMinor }) => amountMinor));
}

/** What a dispute's decisions have ordered back and nothing has moved under yet: what is won back need not be sent again. */
export function idleTakeBacks(
  orders: ReadonlyMap<string, Transfer>,
  disputeId: string,
): [id: string, order: Transfer][] {
  const first = `dispute_${disputeId}`;
  const its = (id: string) => id === first || id.startsWith(`${first}_`) || id.startsWith(`${first}-`);
  return [...orders].filter(([id, order]) => its(id) && order.kind === 'reversal' && isIdle(order));
}
