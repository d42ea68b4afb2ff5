import type { Transaction } from 'firebase-admin/firestore';
import type { Context } from '../platform/context.ts';
import type { Write } from '../platform/write.ts';
import * as store from './payouts.store.ts';
import type { Payout } from './payouts.ts';

export { payCoach, payCoachTask, type PayOutcome, type PayTask } from './pay.service.ts';
export { lastPayouts } from './recent.store.ts';
export { resolvePayouts } from './resolve.service.ts';
export { runProgress, startRun, type RunProgress, type RunReply } from './runs.service.ts';

export async function readPayout(ctx: Context, id: string, tx?: Transaction): Promise<Payout | undefined> {
  return store.readPayout(ctx.db, id, tx);
}

/** For accounting: the voucher that booked this payout, as "S 12 (2026)". One made by hand in Stripe has no document to say it. */
export async function planFortnoxReference(
  ctx: Context,
  tx: Transaction,
  id: string,
  reference: string,
): Promise<Write[]> {
  const known = await store.readPayout(ctx.db, id, tx);
  return known ? [(t) => store.setReference(ctx.db, t, id, reference)] : [];
}
