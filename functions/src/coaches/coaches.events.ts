import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { handler, nothingToFetch, type DispatchTable, type Outcome } from '../webhooks/webhooks.ts';
import {
  accountPath,
  fetchAccount,
  planAccount,
  planDeauthorized,
  type FetchedAccount,
  type PlannedAccount,
} from './coaches.service.ts';

/** Whose event it is: Connect events say so; `account.updated` also comes as the platform's own object. */
function accountOf(event: Stripe.Event): string {
  if (event.account) return event.account;
  if (event.type === 'account.updated') return event.data.object.id;
  throw new Error(`${event.type} ${event.id} names no connected account: it reached the wrong endpoint.`);
}

const madeAt = (event: Stripe.Event): Timestamp => Timestamp.fromMillis(event.created * 1000);

const outcomeOf = (planned: PlannedAccount | undefined, stripeAccountId: string): Outcome =>
  planned
    ? { outcome: 'applied', writes: planned.writes, created: planned.created }
    : { outcome: 'parked', waitingFor: accountPath(stripeAccountId) };

/** Accounts go back and forth, so their events are hints: the account is fetched, and saved if our coach is as it was then. */
const accountChanged = handler<FetchedAccount>({
  fetch: (ctx, event) => fetchAccount(ctx, accountOf(event)),
  plan: async (ctx, tx, event, fetched) => outcomeOf(await planAccount(ctx, tx, fetched), accountOf(event)),
});

/** Connected, or connected again: of this event and the next one whichever Stripe made later decides. */
const accountAuthorized = handler<FetchedAccount>({
  fetch: (ctx, event) => fetchAccount(ctx, accountOf(event)),
  plan: async (ctx, tx, event, fetched) =>
    outcomeOf(await planAccount(ctx, tx, fetched, madeAt(event)), accountOf(event)),
});

/** The event's object is an application; the account is in the envelope, and can no longer be looked at. */
const accountDeauthorized = handler<null>({
  fetch: nothingToFetch,
  plan: async (ctx, tx, event) =>
    outcomeOf(await planDeauthorized(ctx, tx, accountOf(event), madeAt(event)), accountOf(event)),
});

export const coachEvents: DispatchTable = {
  'account.updated': accountChanged,
  'capability.updated': accountChanged,
  'account.external_account.created': accountChanged,
  'account.external_account.updated': accountChanged,
  'account.external_account.deleted': accountChanged,
  'person.updated': accountChanged,
  'account.application.authorized': accountAuthorized,
  'account.application.deauthorized': accountDeauthorized,
};
