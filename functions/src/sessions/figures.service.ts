import type { SessionFigures } from '../payouts/reports.ts';
import type { Context } from '../platform/context.ts';
import { sumsOf } from './sessions.store.ts';

/** What a coach's sessions came to, by sums over them. */
export async function countSessions(ctx: Context, coachId: string): Promise<SessionFigures> {
  const { completed, minutes, counted } = await sumsOf(ctx.db, coachId);
  return { hours: minutes / 60, completed, ended: counted };
}
