import { Timestamp } from 'firebase-admin/firestore';
import { days } from '../../platform/clock.ts';
import type { Context } from '../../platform/context.ts';
import * as store from './privacy.store.ts';

/** Long enough to find out what an event did; a person who asks to be erased must be gone within a month. */
const payloadsKept = days(28);
const perPage = 200;
const pagesPerSweep = 10;

/** For the sweep: what Stripe's events said of people goes 28 days after it was applied, everybody's; the envelopes stay. */
export async function emptyOldEvents(ctx: Context, now: Date): Promise<{ emptied: number }> {
  const until = Timestamp.fromDate(new Date(now.getTime() - payloadsKept));
  let emptied = 0;
  for (let pages = 0; pages < pagesPerSweep; pages++) {
    const found = await store.appliedBetween(ctx.db, await store.emptiedUntil(ctx.db), until, perPage);
    await store.emptyEvents(ctx.db, found);
    emptied += found.length;
    if (found.length < perPage) break;
  }
  return { emptied };
}
