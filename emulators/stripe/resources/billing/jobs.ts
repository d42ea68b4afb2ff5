/** What falls due on the billing side, by the emulator's clock or by a test clock's. (No test clock drives a clock.) */
import type { Timer } from '../../core/timers.ts';
import type { Book, World } from '../../core/world.ts';
import { sessionExpires } from './checkout-expiry.ts';
import * as cycle from './cycle.ts';
import { subscriptionExpires } from './subscriptions.ts';

export function runBillingJob(world: World, book: Book, { kind, id }: Timer): void {
  switch (kind) {
    case 'subscription_expires':
      return subscriptionExpires(world, book, id);
    case 'subscription_period_ends':
      return cycle.subscriptionPeriodEnds(world, book, id);
    case 'subscription_cancels':
      return cycle.subscriptionCancels(world, book, id);
    case 'trial_will_end':
      return cycle.trialWillEnd(world, book, id);
    case 'collection_resumes':
      return cycle.collectionResumes(world, book, id);
    case 'invoice_upcoming':
      return cycle.invoiceUpcoming(world, book, id);
    case 'invoice_finalizes':
      return cycle.invoiceFinalizes(world, book, id);
    case 'invoice_retries':
      return cycle.invoiceRetries(world, book, id);
    case 'invoice_overdue':
      return cycle.invoiceOverdue(world, book, id);
    case 'checkout_expires':
      return sessionExpires(world, book, id);
    default:
      throw new Error(`${kind} is no job of billing.`);
  }
}
