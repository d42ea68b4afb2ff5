import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { classifyStripeError } from '../platform/stripe.ts';
import * as logs from './coaches.logs.ts';

/** Stripe's failures in words for the coach. All of them may be tried again: the same call goes under the same key. */
export async function askStripe<T>(
  ctx: Context,
  coachId: string,
  ask: (stripe: Awaited<ReturnType<Context['stripe']>>) => Promise<T>,
): Promise<T> {
  const stripe = await ctx.stripe();
  try {
    return await ask(stripe);
  } catch (error) {
    const failure = classifyStripeError(error);
    if (failure.kind === 'refused') {
      logs.accountRefused(ctx.log, coachId, failure.code, failure.message);
      throw new Refusal(
        'failed-precondition',
        'stripe-refused',
        'Stripe did not accept this. Contact support if it stays so.',
        { code: failure.code },
      );
    }
    logs.accountUnclear(ctx.log, coachId, failure.code, failure.message);
    throw new Refusal('unavailable', 'stripe-unavailable', 'Stripe did not answer in time. Try again in a moment.');
  }
}
