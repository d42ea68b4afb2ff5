import { planLetter } from '../../platform/mail.ts';
import type { Context } from '../../platform/context.ts';
import { isExpired, nameOf, type SavedMethod } from './methods.ts';
import * as store from './methods.store.ts';

const perRun = 200;

/** For the sweep: one letter to the owner of each method that expires within a month. */
export async function noticeExpiring(ctx: Context, now: Date): Promise<{ noticed: number }> {
  const due = await store.toBeNoticed(ctx.db, now, perRun);
  for (const { id } of due) await notice(ctx, id, now);
  return { noticed: due.length };
}

/** Read again inside the transaction: it may have been renewed, removed or noticed by another run meanwhile. */
function notice(ctx: Context, id: string, now: Date): Promise<void> {
  return ctx.db.runTransaction(async (tx) => {
    const method = await store.readMethod(ctx.db, id, tx);
    if (!method?.noticeAt || method.noticeAt.toMillis() > now.getTime()) return;
    store.markNoticed(ctx.db, tx, id);
    if (!isExpired(method, now)) planLetter(ctx.db, letterId(method), letterOf(method))(tx);
  });
}

const month = ({ expMonth, expYear }: SavedMethod): string => `${expYear}-${String(expMonth).padStart(2, '0')}`;
const letterId = (method: SavedMethod): string => `method-expiring_${method.id}_${month(method)}`;

const letterOf = (method: SavedMethod) => ({
  toUids: [method.userId],
  message: {
    subject: 'A saved payment method expires soon',
    text:
      `Your ${nameOf(method)} can be used through ${month(method)}. ` +
      (method.isDefault
        ? 'It is your default: subscriptions are paid with it. Save another one before then and make it your default.'
        : 'Save another one before then if you want to go on using it.'),
  },
});
