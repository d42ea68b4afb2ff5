import { Timestamp } from 'firebase-admin/firestore';
import { planFlag } from '../../admin/flags.service.ts';
import { days } from '../../platform/clock.ts';
import type { Context } from '../../platform/context.ts';
import { messageOf } from '../../platform/errors.ts';
import { runWrites } from '../../platform/write.ts';
import * as flags from './transfer-flags.ts';
import * as logs from './transfers.logs.ts';
import { sendOrder } from './transfers.service.ts';
import * as store from './transfers.store.ts';
import { looked, type Transfer } from './transfers.ts';

/** One sweep's share; the rest waits five minutes. */
const sweepLimit = 50;
/** Patience with what is neither done nor refused. */
const patienceMs = days(1);

/**
 * For the sweep: sends what was planned and never sent, asks about what is unclear, and makes a new attempt of what was
 * refused a day ago, so that a debt is recovered from later earnings. One that fails holds up no other.
 */
export async function resolveTransfers(ctx: Context, now: Date, limit = sweepLimit): Promise<{ looked: number }> {
  const due = await store.dueChecks(ctx.db, Timestamp.fromDate(now), limit);
  for (const id of due) {
    try {
      await sendOrder(ctx, id, true);
    } catch (error) {
      logs.checkFailed(ctx.log, id, messageOf(error));
    }
    await noteLooked(ctx, id, now);
  }
  return { looked: due.length };
}

/** Debts of all coaches that Stripe has refused to take back since then or longer, the oldest first. */
export async function debtsSince(ctx: Context, by: Date, limit: number): Promise<Transfer[]> {
  return store.refusedSince(ctx.db, Timestamp.fromDate(by), limit);
}

/** Tries a coach's refused take-backs again at once: their balance has grown. Returns how many came through. */
export async function retryTakeBacks(ctx: Context, coachId: string, limit = sweepLimit): Promise<number> {
  let recovered = 0;
  for (const id of await store.refusedTakeBacks(ctx.db, coachId, limit)) {
    if ((await sendOrder(ctx, id, true)) === 'done') recovered++;
  }
  return recovered;
}

function noteLooked(ctx: Context, id: string, now: Date): Promise<void> {
  return ctx.db.runTransaction(async (tx) => {
    const order = await store.readTransfer(ctx.db, id, tx);
    if (!order) return;
    const next = looked(order, Timestamp.fromDate(now));
    if (next === order) return;
    const late = now.getTime() - order.createdAt.toMillis() > patienceMs;
    const flagged = late ? await planFlag(ctx, tx, flags.transferUnknown(id, order)) : [];
    store.writeTransfer(ctx.db, tx, id, next);
    runWrites(tx, flagged);
  });
}
