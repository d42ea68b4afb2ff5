import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { resolveGone } from '../../admin/flags.service.ts';
import type { Flag } from '../../admin/flags.ts';
import { explaining } from '../../ledger/ledger.service.ts';
import { days } from '../../platform/clock.ts';
import type { Context } from '../../platform/context.ts';
import { bookMovement } from './book.service.ts';
import { flaggedMovement, movementKind } from './own-flags.ts';
import * as logs from './stripe-own.logs.ts';
import { collectedTypes, isOfPayment, movementOf, movesBalance } from './stripe-own.ts';
import * as store from './stripe-own.store.ts';
import type { Mark } from './stripe-own.store.ts';

const pageSize = 100;
/** Movements looked at side by side. */
const width = 10;
/** Looked at again every night: Stripe may list a movement later than it dates it, and clocks differ. */
const overlapMs = days(2);

/**
 * Books what Stripe moved on the platform's balance for no sale since the last time, or ever: a call a type on most nights.
 * Cut short it goes on where it was; run twice, also at once, it books everything once. Throws when Stripe cannot be read.
 * Returns how many documents it made.
 */
export async function collectOwn(ctx: Context): Promise<number> {
  let documents = 0;
  for (const type of collectedTypes) documents += await collectType(ctx, type);
  await resolveGone(ctx, movementKind, (open) => explained(ctx, open), 'It is in the books.');
  logs.collected(ctx.log, documents);
  return documents;
}

/** Flags whose movement an event or a person has explained since. */
async function explained(ctx: Context, open: readonly Flag[]): Promise<Flag[]> {
  const found = await Promise.all(
    open.map(async (flag) => ((await explaining(ctx.db, flaggedMovement(flag))).length > 0 ? [flag] : [])),
  );
  return found.flat();
}

async function collectType(ctx: Context, type: string): Promise<number> {
  const before = await store.readMark(ctx.db, type);
  const rest = before?.run ? await walk(ctx, before, before.run) : undefined;
  const now = Timestamp.fromDate(ctx.clock.now());
  const mark = rest?.mark ?? before ?? { type, doneUntil: null, run: null, updatedAt: now };
  const { documents } = await walk(ctx, mark, { begunAt: now });
  return documents + (rest?.documents ?? 0);
}

/** Newest first, as Stripe lists, down to what an earlier run has looked at. */
async function walk(
  ctx: Context,
  { type, doneUntil }: Mark,
  { begunAt, after }: { begunAt: Timestamp; after?: string },
): Promise<{ documents: number; mark: Mark }> {
  const stripe = await ctx.stripe();
  const since = doneUntil ? { created: { gte: Math.floor((doneUntil.toMillis() - overlapMs) / 1000) } } : {};
  let documents = 0;
  for (let cursor = after; ;) {
    const from = cursor === undefined ? {} : { starting_after: cursor };
    const page = await stripe.balanceTransactions.list({ type, limit: pageSize, ...since, ...from });
    documents += await bookPage(ctx, page.data);
    cursor = page.data.at(-1)?.id;
    const last = !page.has_more || cursor === undefined;
    const run = last || cursor === undefined ? null : { begunAt, after: cursor };
    const mark: Mark = {
      type,
      doneUntil: last ? begunAt : doneUntil,
      run,
      updatedAt: Timestamp.fromDate(ctx.clock.now()),
    };
    await store.writeMark(ctx.db, mark);
    if (last) return { documents, mark };
  }
}

async function bookPage(ctx: Context, page: readonly Stripe.BalanceTransaction[]): Promise<number> {
  // The daily proof books what no event has booked by then.
  const movements = page.filter(movesBalance).map(movementOf);
  const own = movements.filter((movement) => !isOfPayment(movement));
  let documents = 0;
  for (let at = 0; at < own.length; at += width) {
    const made = await Promise.all(
      own.slice(at, at + width).map(async (movement) => {
        // Without a transaction first: most have been booked before.
        const known = (await explaining(ctx.db, movement.id)).length > 0;
        return known ? [] : bookMovement(ctx, undefined, movement);
      }),
    );
    documents += made.flat().length;
  }
  return documents;
}
