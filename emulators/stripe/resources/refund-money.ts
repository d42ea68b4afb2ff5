/** What a refund takes from the balance, at once or when the balance has it. */
import type Stripe from 'stripe';
import { fundsOf, post } from '../core/balance.ts';
import { emit, emitChange } from '../core/events.ts';
import { bookOf } from '../core/world.ts';
import type { Book, World } from '../core/world.ts';
import { feeBack } from './fee-refunds.ts';
import { cardOf } from './payment-methods.ts';

/** Money of the charge that is still pending counts while it is so: the refund is then pending until the same moment. */
export function hasFunds(world: World, book: Book, charge: Stripe.Charge, net: number): boolean {
  if (!world.switches.refundsWaitForFunds) return true;
  const funds = fundsOf(book, charge.currency);
  return net <= (availableOn(world, book, charge) > world.now ? funds.available + funds.pending : funds.available);
}

const availableOn = (world: World, book: Book, charge: Stripe.Charge): number =>
  book.balanceTransactions.get(charge.balance_transaction as string)?.available_on ?? world.now;

/** Books the refund. `feeAmount` is the application fee that comes back to the account of a direct charge with it. */
export function takeRefund(
  world: World,
  book: Book,
  refund: { id: string; amount: number },
  charge: Stripe.Charge,
  feeAmount: number,
): Stripe.BalanceTransaction {
  const ofCard = charge.payment_method_details?.type === 'card';
  return post(world, book, {
    type: ofCard ? 'refund' : 'payment_refund',
    reportingCategory: 'refund',
    amount: -refund.amount,
    fee: 0 - feeAmount,
    feeDetails: feeBack(feeAmount, charge.currency),
    currency: charge.currency,
    source: refund.id,
    availableOn: availableOn(world, book, charge),
    description: ofCard ? 'REFUND FOR CHARGE' : 'REFUND FOR PAYMENT',
  });
}

/** How a refund goes on once its money was taken: done, or as its test card has it. */
export function afterTaking(world: World, book: Book, charge: Stripe.Charge, id: string): 'succeeded' | 'pending' {
  const method = book.paymentMethods.get(charge.payment_method ?? '');
  const kind = method?.type === 'card' ? cardOf(method).refund : 'succeeds';
  const { refundPendingSeconds, refundFailsAfterSeconds } = world.switches;
  if (kind === 'pending') {
    world.timers.add({ at: world.now + refundPendingSeconds, kind: 'refund_succeeds', account: book.account, id });
    return 'pending';
  }
  if (kind === 'fails') {
    world.timers.add({ at: world.now + refundFailsAfterSeconds, kind: 'refund_fails', account: book.account, id });
  }
  return 'succeeded';
}

/** Tells of a refund that has changed, under both of the names Stripe has for it. */
export function tellRefund(world: World, book: Book, before: Stripe.Refund, after: Stripe.Refund): void {
  emitChange(world, book, 'refund.updated', before, after);
  emitChange(world, book, 'charge.refund.updated', before, after);
}

/** Refunds that wait for money are made, those of an account oldest first, as far as its money goes. */
export function payWaitingRefunds(world: World): void {
  const poor = new Set<string>();
  for (const [id, account] of world.waitingRefunds) {
    const book = bookOf(world, account);
    const before = book.refunds.get(id)!;
    const charge = book.charges.get(before.charge as string)!;
    if (poor.has(account) || !hasFunds(world, book, charge, before.amount)) {
      poor.add(account);
      continue;
    }
    world.waitingRefunds.delete(id);
    const txn = takeRefund(world, book, before, charge, 0);
    const { pending_reason: _, ...rest } = before;
    const status = afterTaking(world, book, charge, id);
    const after = book.refunds.put({
      ...rest,
      ...(status === 'pending' ? { pending_reason: 'processing' } : {}),
      status,
      balance_transaction: txn.id,
    });
    tellRefund(world, book, before, after);
  }
}

export function refundSucceeds(world: World, book: Book, id: string): void {
  const before = book.refunds.get(id);
  if (before?.status !== 'pending') return;
  const { pending_reason: _, ...rest } = before;
  tellRefund(world, book, before, book.refunds.put({ ...rest, status: 'succeeded' }));
}

/** The customer's bank sends the refund back: the money returns to the balance and may be refunded again. */
export function refundFails(world: World, book: Book, id: string): void {
  const before = book.refunds.get(id);
  if (before?.status !== 'succeeded') return;
  const txn = post(world, book, {
    type: 'refund_failure',
    reportingCategory: 'refund_failure',
    amount: before.amount,
    currency: before.currency,
    source: id,
    availableOn: world.now,
    description: 'REFUND FAILURE',
  });
  const after = book.refunds.update(id, {
    status: 'failed',
    failure_balance_transaction: txn.id,
    failure_reason: 'expired_or_canceled_card',
  });
  unrefund(world, book, before);
  tellRefund(world, book, before, after);
  emit(world, book, 'refund.failed', after);
}

/** The charge counts as refunded by that much less. */
export function unrefund(world: World, book: Book, refund: Stripe.Refund): void {
  const charge = book.charges.get(refund.charge as string)!;
  const after = book.charges.update(charge.id, {
    amount_refunded: charge.amount_refunded - refund.amount,
    refunded: false,
  });
  emitChange(world, book, 'charge.updated', charge, after);
}
