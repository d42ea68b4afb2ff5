import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planFlag } from '../../admin/flags.service.ts';
import type { Context } from '../../platform/context.ts';
import { mergeLimits, readLimits, type Limits } from '../../platform/throttle.ts';
import type { Write } from '../../platform/write.ts';
import { noDeclines, noteDecline, type Decline, type DeclineRecord } from './declines.ts';
import { cardTesting } from './fraud-flags.ts';

/**
 * Plans that a user's card was declined: counted in the user's own document; too many pause their cards and tell a person.
 * `paused`: what the user holds a client secret of must not be tried on any longer.
 */
export async function planDecline(
  ctx: Context,
  tx: Transaction,
  uid: string,
  decline: Decline,
): Promise<{ writes: Write[]; paused: boolean }> {
  const limits: (Limits & { fraud?: DeclineRecord }) | undefined = await readLimits(ctx.db, tx, uid);
  const now = ctx.clock.now();
  const noted = noteDecline(limits?.fraud ?? noDeclines, decline, now.getTime());
  const wasPaused = (limits?.pausedUntil?.toMillis() ?? 0) > now.getTime();
  if (!noted) return { writes: [], paused: wasPaused };
  const { record, strike } = noted;
  const pause = strike ? { pausedUntil: Timestamp.fromMillis(strike.untilMs) } : {};
  const flagged = strike ? await planFlag(ctx, tx, cardTesting(uid, strike)) : [];
  const writes: Write[] = [(t) => mergeLimits(ctx.db, t, uid, { fraud: record, ...pause }, now), ...flagged];
  return { writes, paused: wasPaused || strike !== undefined };
}
