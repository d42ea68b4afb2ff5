import { settleLate } from '../resources/charges.ts';
import { accountVerified } from '../resources/onboarding.ts';
import { payoutDay } from '../resources/payout-schedule.ts';
import { payoutArrives, payoutBounces, payoutInTransit } from '../resources/payouts.ts';
import { subscriptionExpires, subscriptionPeriodEnds } from '../resources/subscriptions.ts';
import { release } from './balance.ts';
import type { Timer } from './timers.ts';
import { bookOf } from './world.ts';
import type { World } from './world.ts';

/** Does what has fallen due. `world.now` is the moment it was due at. */
export function runTimer(world: World, { kind, account, id }: Timer): void {
  const book = bookOf(world, account);
  switch (kind) {
    case 'funds_available':
      return release(world, book, Number(id));
    case 'charge_settles':
      return settleLate(world, book, id);
    case 'payout_in_transit':
      return payoutInTransit(world, book, id);
    case 'payout_arrives':
      return payoutArrives(world, book, id);
    case 'payout_bounces':
      return payoutBounces(world, book, id);
    case 'subscription_expires':
      return subscriptionExpires(world, book, id);
    case 'subscription_period_ends':
      return subscriptionPeriodEnds(world, book, id);
    case 'account_verified':
      return accountVerified(world, id);
    case 'payout_schedule':
      return payoutDay(world, book, id);
  }
}
