/** 3-D Secure, its end: the holder has clicked Complete or Fail on the page the emulator hosts. */
import { bookOf } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { authenticated, authenticationFailed } from './confirm.ts';
import { setupAuthenticated, setupAuthenticationFailed } from './setup-confirm.ts';

/**
 * The holder has clicked. Gives the address to go on to, with what Stripe appends to it; null where the page was opened
 * by Stripe.js; undefined when there is no such link.
 */
export function answerChallenge(world: World, token: string, complete: boolean): string | null | undefined {
  const open = world.challenges.get(token);
  if (!open) return undefined;
  world.challenges.delete(token);
  const book = bookOf(world, open.account);
  const intent =
    open.kind === 'payment_intent'
      ? (complete ? authenticated : authenticationFailed)(world, book, book.paymentIntents.get(open.id)!)
      : (complete ? setupAuthenticated : setupAuthenticationFailed)(world, book, book.setupIntents.get(open.id)!);
  if (open.returnUrl === null) return null;
  const url = new URL(open.returnUrl);
  url.searchParams.set(open.kind, open.id);
  url.searchParams.set(`${open.kind}_client_secret`, intent.client_secret ?? '');
  const good = ['succeeded', 'requires_capture', 'processing'].includes(intent.status);
  url.searchParams.set('redirect_status', good ? 'succeeded' : 'failed');
  return url.toString();
}
