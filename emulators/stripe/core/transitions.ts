import { aftermath } from '../resources/aftermath.ts';
import { authorizationExpires } from '../resources/capture.ts';
import { settleLate } from '../resources/charges.ts';
import { debitClears } from '../resources/debits.ts';
import { disputeCloses, disputeOverdue } from '../resources/disputes.ts';
import { refundFails, refundSucceeds } from '../resources/refund-money.ts';
import { accountVerified } from '../resources/onboarding.ts';
import { payoutDay } from '../resources/payout-schedule.ts';
import { payoutArrives, payoutBounces, payoutInTransit } from '../resources/payouts.ts';
import { clockAdvances } from '../resources/billing/clocks.ts';
import { runBillingJob } from '../resources/billing/jobs.ts';
import { deadlinePasses } from '../resources/requirements.ts';
import { release } from './balance.ts';
import type { Timer } from './timers.ts';
import { bookOf } from './world.ts';
import type { World } from './world.ts';

/** Does what has fallen due. `world.now` is the moment it was due at. */
export function runTimer(world: World, timer: Timer): void {
  const { kind, account, id } = timer;
  const book = bookOf(world, account);
  switch (kind) {
    case 'funds_available':
      return release(world, book, Number(id));
    case 'charge_settles':
      return settleLate(world, book, id);
    case 'charge_aftermath':
      return aftermath(world, book, id);
    case 'authorization_expires':
      return authorizationExpires(world, book, id);
    case 'debit_clears':
      return debitClears(world, book, id);
    case 'dispute_closes':
      return disputeCloses(world, book, id);
    case 'dispute_overdue':
      return disputeOverdue(world, book, id);
    case 'refund_succeeds':
      return refundSucceeds(world, book, id);
    case 'refund_fails':
      return refundFails(world, book, id);
    case 'payout_in_transit':
      return payoutInTransit(world, book, id);
    case 'payout_arrives':
      return payoutArrives(world, book, id);
    case 'payout_bounces':
      return payoutBounces(world, book, id);
    case 'account_verified':
      return accountVerified(world, id);
    case 'account_deadline':
      return deadlinePasses(world, account, Number(id));
    case 'payout_schedule':
      return payoutDay(world, book, id);
    case 'clock_advances':
      return clockAdvances(world, book, id);
    default:
      return runBillingJob(world, book, timer);
  }
}
