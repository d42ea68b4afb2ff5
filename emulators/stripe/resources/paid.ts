/** A PaymentIntent's end, whichever way its money came: a card, a capture, a bank's answer. */
import type Stripe from 'stripe';
import { emit } from '../core/events.ts';
import type { Book, World } from '../core/world.ts';
import { planAftermath } from './aftermath.ts';
import { settleCharge } from './charges.ts';
import { invoicePaid } from './invoices.ts';

/** The charge is captured: it is booked, and the intent has succeeded. `tell` says what happened to the charge. */
export function paid(
  world: World,
  book: Book,
  intent: Stripe.PaymentIntent,
  made: Stripe.Charge,
  tell: () => void,
): Stripe.PaymentIntent {
  const delay = world.switches.chargeBalanceTransactionDelaySeconds;
  if (delay > 0) {
    world.timers.add({ at: world.now + delay, kind: 'charge_settles', account: book.account, id: made.id });
  } else {
    settleCharge(world, book, made);
  }
  const after = book.paymentIntents.put({
    ...intent,
    status: 'succeeded',
    amount_capturable: 0,
    amount_received: made.amount_captured,
    processing: null,
    latest_charge: made.id,
  });
  tell();
  emit(world, book, 'payment_intent.succeeded', after);
  invoicePaid(world, book, after);
  planAftermath(world, book, made);
  return after;
}
