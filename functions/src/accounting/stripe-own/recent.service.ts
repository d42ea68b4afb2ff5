import type { Context } from '../../platform/context.ts';
import { bookMovement } from './book.service.ts';
import { movementOf, movesBalance, treatmentOf, type OwnerOfBalance } from './stripe-own.ts';

/** More movements than a coach's account has between a night's proof and the day's payouts. */
const recent = 100;

/**
 * Books what Stripe held back or let go on a connected account of late, for whoever finds more there than the books have.
 * What only a person can tell is left to the proof. Throws when Stripe cannot be read.
 */
export async function bookRecent(ctx: Context, owner: NonNullable<OwnerOfBalance>): Promise<void> {
  const stripe = await ctx.stripe();
  const { stripeAccountId: stripeAccount } = owner;
  const { data } = await stripe.balanceTransactions.list({ limit: recent }, { stripeAccount });
  for (const movement of data.filter(movesBalance).map(movementOf)) {
    if (treatmentOf(movement, true) === 'reserve') await bookMovement(ctx, owner, movement);
  }
}
