/**
 * 3-D Secure: when a card wants its holder to authenticate, what the intent says then, and what the page shows that the
 * emulator hosts. What becomes of the intent once the holder has clicked: `challenge-answer.ts`.
 */
import type Stripe from 'stripe';
import type { Challenge } from '../core/payments-book.ts';
import { bookOf } from '../core/world.ts';
import type { Book, World } from '../core/world.ts';
import type { Decline } from './decline.ts';
import type { TestCard } from './test-cards.ts';

/** Whether the holder must authenticate before this card pays (or is set up, which is done on session). */
export function mustAuthenticate(
  book: Book,
  card: TestCard,
  method: Stripe.PaymentMethod,
  offSession: boolean,
): boolean {
  switch (card.authentication) {
    case 'never':
      return false;
    case 'always':
      return true;
    case 'untilSetUp':
      return !book.payments.setUp.has(method.id);
    case 'onSession':
      return !offSession;
  }
}

/** How an issuer refuses a payment that it wanted authenticated while nobody was there to do it. */
export const AUTHENTICATION_REQUIRED: Decline = {
  kind: 'declines',
  code: 'authentication_required',
  declineCode: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
  attaches: true,
};

/** What the customer is to do next: go to the hosted page, by a redirect or by Stripe.js. */
export function challenge(
  world: World,
  order: Omit<Challenge, 'token'>,
):
  | { type: 'redirect_to_url'; redirect_to_url: { return_url: string; url: string } }
  | { type: 'use_stripe_sdk'; use_stripe_sdk: { type: string; stripe_js: string } } {
  dropChallenges(world, order.id);
  const token = world.ids.next('3ds');
  world.challenges.set(token, { ...order, token });
  const url = `${world.publicUrl}/_hosted/3ds/${token}`;
  return order.returnUrl === null
    ? { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: url } }
    : { type: 'redirect_to_url', redirect_to_url: { return_url: order.returnUrl, url } };
}

/** Nobody waits for the holder any more: the page says so. */
export function dropChallenges(world: World, intent: string): void {
  for (const [token, open] of world.challenges) if (open.id === intent) world.challenges.delete(token);
}

/** What the page shows; undefined when the link was never made, was used, or its intent has moved on. */
export function openChallenge(
  world: World,
  token: string,
): { amount: number | null; returnUrl: string | null } | undefined {
  const open = world.challenges.get(token);
  if (!open) return undefined;
  const amount =
    open.kind === 'payment_intent' ? bookOf(world, open.account).paymentIntents.get(open.id)?.amount : null;
  return { amount: amount ?? null, returnUrl: open.returnUrl };
}
