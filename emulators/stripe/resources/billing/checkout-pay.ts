/** What a customer does on the Checkout page: takes a promotion code, tries a card, comes back from the bank. */
import type Stripe from 'stripe';
import type { CheckoutOrder } from '../../core/billing-book.ts';
import { StripeFailure } from '../../core/errors.ts';
import { bookOf } from '../../core/world.ts';
import type { Book, World } from '../../core/world.ts';
import { confirmIntent } from '../confirm.ts';
import { createCustomer } from '../customers.ts';
import { intentNamed, makeIntent } from '../intent-life.ts';
import { attachTo, cardOf, usable } from '../payment-methods.ts';
import { createSetupIntent } from '../setup-intents.ts';
import { confirmSetup } from '../setup-confirm.ts';
import { amountsOfOrder, discountsOfOrder, hasTrial, moneyOf } from './checkout.ts';
import { completeSession } from './checkout-outcome.ts';
import { codeNamed, redeem, redeemable } from './discounts.ts';
import { intentOfInvoice } from './invoice-paid.ts';
import { createSubscription } from './subscriptions.ts';

type Session = Stripe.Checkout.Session;

/** Where the browser goes, or what the page says. */
export type Outcome = { kind: 'goes'; url: string } | { kind: 'problem'; text: string };

export interface Holder<T> {
  book: Book;
  object: T;
}

/** A session by its id, whichever account has it. */
export function sessionAnywhere(world: World, id: string): Holder<Session> | undefined {
  for (const account of [world.platform.account, ...world.books.keys()]) {
    const book = bookOf(world, account);
    const object = book.billing.checkoutSessions.get(id);
    if (object) return { book, object };
  }
  return undefined;
}

const successUrl = (session: Session): string =>
  (session.success_url ?? '').replaceAll('{CHECKOUT_SESSION_ID}', session.id);

/** The page is opened, perhaps on the way back from the bank: where to go on, or undefined to show it. */
export function resumeSession(world: World, book: Book, id: string): Outcome | undefined {
  const order = book.billing.orders.get(id)!;
  const setup = book.setupIntents.get(order.setup ?? '');
  if (book.billing.checkoutSessions.get(id)!.status === 'open' && setup?.status === 'succeeded')
    afterSetup(world, book, id, order, setup);
  const session = book.billing.checkoutSessions.get(id)!;
  if (session.status === 'complete') return { kind: 'goes', url: successUrl(session) };
  const failed = book.paymentIntents.get(order.intent ?? '')?.last_payment_error ?? setup?.last_setup_error;
  return failed ? { kind: 'problem', text: failed.message ?? 'The payment did not go through.' } : undefined;
}

/** A code typed by the customer; the problem with it, or nothing. */
export function takeCode(world: World, book: Book, id: string, typed: string): string | undefined {
  const session = book.billing.checkoutSessions.get(id)!;
  const order = book.billing.orders.get(id)!;
  const code = codeNamed(book, typed.trim());
  if (session.allow_promotion_codes !== true || !code || order.subscription !== null || order.intent !== null)
    return 'This code is invalid.';
  try {
    order.discounts = [redeemable(world, book, { promotion_code: code.id }, order.customer, 'promotion_code')];
  } catch (error) {
    if (error instanceof StripeFailure) return error.message;
    throw error;
  }
  book.billing.checkoutSessions.update(id, {
    ...moneyOf(amountsOfOrder(order), order, session.mode),
    discounts: discountsOfOrder(order),
  });
  return undefined;
}

/** The customer pays with a test card. */
export function pay(world: World, book: Book, id: string, given: { method: string; email: string }): Outcome {
  const session = book.billing.checkoutSessions.get(id)!;
  const order = book.billing.orders.get(id)!;
  if (order.email === null && !/^\S+@\S+\.\S+$/.test(given.email))
    return { kind: 'problem', text: 'Enter your email.' };
  order.email ??= given.email;
  try {
    ensureCustomer(world, book, session, order);
    if (session.mode === 'payment') return payOnce(world, book, session, order, given.method);
    if (session.mode === 'setup') return setUp(world, book, session, order, given.method);
    return subscribe(world, book, session, order, given.method);
  } catch (error) {
    if (error instanceof StripeFailure) return { kind: 'problem', text: error.message };
    throw error;
  }
}

function ensureCustomer(world: World, book: Book, session: Session, order: CheckoutOrder): void {
  const needed =
    session.mode === 'subscription' ||
    session.customer_creation === 'always' ||
    order.params.payment_intent_data?.setup_future_usage !== undefined;
  if (order.customer !== null || !needed) return;
  order.customer = createCustomer(world, book, order.email === null ? {} : { email: order.email }).id;
}

const pageUrl = (world: World, session: Session): string => `${world.publicUrl}/_hosted/checkout/${session.id}`;

function payOnce(world: World, book: Book, session: Session, order: CheckoutOrder, method: string): Outcome {
  const customer = order.customer === null ? null : book.customers.get(order.customer)!;
  const total = session.amount_total ?? 0;
  if (order.intent === null) {
    for (const each of order.discounts) redeem(world, book, each, { customer, session: session.id });
    if (total === 0) return done(completeSession(world, book, session.id, 'no_payment_required'));
    const intent = makeIntent(world, book, {
      ...order.params.payment_intent_data,
      amount: total,
      currency: 'sek',
      ...(order.customer === null ? {} : { customer: order.customer }),
    });
    order.intent = intent.id;
    book.billing.sessionOfIntent.set(intent.id, session.id);
  }
  return confirm(world, book, session, intentNamed(book, order.intent), method);
}

function confirm(world: World, book: Book, session: Session, intent: Stripe.PaymentIntent, method: string): Outcome {
  const after = confirmIntent(world, book, intent, {
    payment_method: method,
    off_session: false,
    return_url: pageUrl(world, session),
  });
  const url = after.next_action?.redirect_to_url?.url;
  if (typeof url === 'string') return { kind: 'goes', url };
  if (after.status === 'processing') return done(completeSession(world, book, session.id, 'unpaid'));
  return done(book.billing.checkoutSessions.get(session.id)!);
}

const done = (session: Session): Outcome => ({ kind: 'goes', url: successUrl(session) });

function setUp(world: World, book: Book, session: Session, order: CheckoutOrder, method: string): Outcome {
  if (order.setup === null) {
    const data = order.params.setup_intent_data;
    order.setup = createSetupIntent(world, book, {
      ...(order.customer === null ? {} : { customer: order.customer }),
      ...(data?.metadata === undefined ? {} : { metadata: data.metadata }),
      ...(data?.description === undefined ? {} : { description: data.description }),
    }).id;
    book.billing.sessionOfIntent.set(order.setup, session.id);
  }
  const after = confirmSetup(world, book, book.setupIntents.get(order.setup)!, {
    payment_method: method,
    return_url: pageUrl(world, session),
  });
  const url = after.next_action?.redirect_to_url?.url;
  if (typeof url === 'string') return { kind: 'goes', url };
  return afterSetup(world, book, session.id, order, after);
}

/** The card is kept: that was all, or the subscription begins whose first payment comes later. */
function afterSetup(world: World, book: Book, id: string, order: CheckoutOrder, setup: Stripe.SetupIntent): Outcome {
  const session = book.billing.checkoutSessions.get(id)!;
  if (session.mode === 'subscription')
    order.subscription = withActive(book, order, () =>
      createSubscription(world, book, {
        ...subscriptionParams(order),
        default_payment_method: setup.payment_method as string,
      }),
    ).id;
  return done(completeSession(world, book, id, 'no_payment_required'));
}

function subscriptionParams(order: CheckoutOrder): Stripe.SubscriptionCreateParams {
  const { params } = order;
  const {
    metadata,
    description,
    trial_end,
    trial_period_days,
    trial_settings,
    transfer_data,
    application_fee_percent,
  } = params.subscription_data ?? {};
  return {
    customer: order.customer!,
    items: order.prices.map(({ price, quantity }) => ({ price: price.id, quantity })),
    ...(metadata === undefined ? {} : { metadata }),
    ...(description === undefined ? {} : { description }),
    ...(trial_end === undefined ? {} : { trial_end }),
    ...(trial_period_days === undefined ? {} : { trial_period_days }),
    ...(trial_settings === undefined ? {} : { trial_settings }),
    ...(transfer_data === undefined ? {} : { transfer_data }),
    ...(application_fee_percent === undefined ? {} : { application_fee_percent }),
    discounts: order.discounts.map(({ coupon, code }) => (code ? { promotion_code: code.id } : { coupon: coupon.id })),
  };
}

function subscribe(world: World, book: Book, session: Session, order: CheckoutOrder, asked: string): Outcome {
  if (hasTrial(order) || session.amount_total === 0) return setUp(world, book, session, order, asked);
  const method = usable(world, book, asked);
  const { outcome } = cardOf(method);
  // A card that the bank refuses leaves no subscription behind.
  if (outcome.kind === 'declines' && order.subscription === null) return { kind: 'problem', text: outcome.message };
  if (order.subscription === null) {
    if (method.customer === null) attachTo(world, book, method, order.customer!);
    // The prices of `price_data` are inactive, and sold here all the same.
    const subscription = withActive(book, order, () =>
      createSubscription(world, book, {
        ...subscriptionParams(order),
        payment_behavior: 'default_incomplete',
        payment_settings: { save_default_payment_method: 'on_subscription' },
      }),
    );
    order.subscription = subscription.id;
  }
  const invoice = book.invoices.get(book.subscriptions.get(order.subscription)!.latest_invoice as string)!;
  const intent = intentOfInvoice(book, invoice);
  if (!intent) return done(completeSession(world, book, session.id, 'paid'));
  order.intent = intent.id;
  book.billing.sessionOfIntent.set(intent.id, session.id);
  return confirm(world, book, session, intent, method.id);
}

function withActive<T>(book: Book, order: CheckoutOrder, run: () => T): T {
  const inactive = order.prices.filter(({ price }) => book.prices.get(price.id)?.active === false);
  for (const { price } of inactive) book.prices.update(price.id, { active: true });
  try {
    return run();
  } finally {
    for (const { price } of inactive) book.prices.update(price.id, { active: false });
  }
}
