/** What comes of a payment later, for the test cards that bring it: a dispute, a fraud warning, a review. */
import type Stripe from 'stripe';
import { missing, refused } from '../core/errors.ts';
import { emit, emitChange } from '../core/events.ts';
import { inRange, page } from '../core/list.ts';
import type { ExpandOnly } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import { inquiryRefunded, openDispute } from './disputes.ts';
import { cardOf } from './payment-methods.ts';

const aftermathOf = (book: Book, charge: Stripe.Charge) => {
  const method = book.paymentMethods.get(charge.payment_method ?? '');
  return method?.type === 'card' ? cardOf(method).aftermath : null;
};

/** A charge has been captured. */
export function planAftermath(world: World, book: Book, charge: Stripe.Charge): void {
  if (!aftermathOf(book, charge)) return;
  const at = world.now + world.switches.disputeAfterSeconds;
  world.timers.add({ at, kind: 'charge_aftermath', account: book.account, id: charge.id });
}

/** The time has come. */
export function aftermath(world: World, book: Book, id: string): void {
  const charge = book.charges.get(id)!;
  const what = aftermathOf(book, charge);
  if (!what || charge.refunded) return;
  switch (what.kind) {
    case 'dispute':
      return openDispute(world, book, charge, what);
    case 'fraudWarning':
      return warn(world, book, charge);
    case 'review':
      return openReview(world, book, charge);
  }
}

function warn(world: World, book: Book, charge: Stripe.Charge): void {
  const warning = book.earlyFraudWarnings.add({
    id: world.ids.next('issfr'),
    object: 'radar.early_fraud_warning',
    actionable: true,
    charge: charge.id,
    created: world.now,
    fraud_type: 'misc',
    livemode: false,
    ...(charge.payment_intent === null ? {} : { payment_intent: charge.payment_intent }),
  });
  emit(world, book, 'radar.early_fraud_warning.created', warning);
}

function openReview(world: World, book: Book, charge: Stripe.Charge): void {
  const review = book.reviews.add({
    id: world.ids.next('prv'),
    object: 'review',
    billing_zip: null,
    charge: charge.id,
    closed_reason: null,
    created: world.now,
    ip_address: null,
    ip_address_location: null,
    livemode: false,
    open: true,
    opened_reason: 'rule',
    ...(charge.payment_intent === null ? {} : { payment_intent: charge.payment_intent }),
    reason: 'rule',
    session: null,
  });
  book.charges.update(charge.id, { review: review.id });
  if (charge.payment_intent !== null) {
    book.paymentIntents.update(charge.payment_intent as string, { review: review.id });
  }
  emit(world, book, 'review.opened', review);
}

function closeReview(
  world: World,
  book: Book,
  review: Stripe.Review,
  why: 'approved' | 'refunded' | 'refunded_as_fraud',
): Stripe.Review {
  const after = book.reviews.update(review.id, { open: false, closed_reason: why, reason: why });
  emit(world, book, 'review.closed', after);
  return after;
}

/** A charge was refunded wholly: its review is closed, its warning asks for nothing any more, its inquiry is over. */
export function chargeRefunded(world: World, book: Book, charge: Stripe.Charge, asFraud: boolean): void {
  const review = book.reviews.get((charge.review as string | null) ?? '');
  if (review?.open === true) closeReview(world, book, review, asFraud ? 'refunded_as_fraud' : 'refunded');
  for (const warning of [...book.earlyFraudWarnings.walk({ group: charge.id })]) {
    const after = book.earlyFraudWarnings.update(warning.id, { actionable: false });
    emitChange(world, book, 'radar.early_fraud_warning.updated', warning, after);
  }
  inquiryRefunded(world, book, charge);
}

function reviewNamed(book: Book, id: string): Stripe.Review {
  const review = book.reviews.get(id);
  if (!review) throw missing('review', id, 'id', 404);
  return review;
}

export const retrieveReview = (_: World, book: Book, __: ExpandOnly, [id = '']: string[]) => reviewNamed(book, id);

/** Open reviews, as Stripe lists them. */
export const listReviews = (_: World, book: Book, params: Stripe.ReviewListParams) =>
  page(book.reviews, '/v1/reviews', params, (review) => review.open && inRange(review.created, params.created));

export function approveReview(world: World, book: Book, _: ExpandOnly, [id = '']: string[]): Stripe.Review {
  const review = reviewNamed(book, id);
  if (!review.open) throw refused(`Review ${id} has already been closed.`);
  return closeReview(world, book, review, 'approved');
}

export function retrieveWarning(_: World, book: Book, __: ExpandOnly, [id = '']: string[]) {
  const warning = book.earlyFraudWarnings.get(id);
  if (!warning) throw missing('early_fraud_warning', id, 'id', 404);
  return warning;
}

export const listWarnings = (_: World, book: Book, params: Stripe.Radar.EarlyFraudWarningListParams) =>
  page(
    book.earlyFraudWarnings,
    '/v1/radar/early_fraud_warnings',
    params,
    (warning) =>
      inRange(warning.created, params.created) &&
      (params.payment_intent === undefined || warning.payment_intent === params.payment_intent),
    params.charge,
  );
