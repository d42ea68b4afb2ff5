import { Timestamp } from 'firebase-admin/firestore';
import type { Context } from '../platform/context.ts';
import type { Write } from '../platform/write.ts';

/** `auditLog/{id}`: what an administrator (or a coach, for their own terms of work) decided, by whom and when. Appended, never changed. */
export interface AuditEntry {
  /** Uid of who decided. */
  by: string;
  /** The function's name. */
  action: string;
  /** Path of the document it is about. */
  subject: string;
  /** What changed, as plain JSON. */
  before?: object | undefined;
  after?: object | undefined;
  note?: string | undefined;
}

const pathOf = (id: string): string => `auditLog/${id.replaceAll('/', '_')}`;

/** Appends an entry in a transaction of its own, unless it is there already. */
export const auditOnce = (ctx: Context, id: string, entry: AuditEntry): Promise<void> =>
  ctx.db.runTransaction(async (tx) => {
    if (!(await tx.get(ctx.db.doc(pathOf(id)))).exists) planAudit(ctx, id, entry)(tx);
  });

/** Plans an entry. `id` names the decision (the requestId, say), so that a repeated command leaves one entry. */
export function planAudit(ctx: Context, id: string, entry: AuditEntry): Write {
  const at = Timestamp.fromDate(ctx.clock.now());
  return (tx) => tx.set(ctx.db.doc(pathOf(id)), { ...entry, at });
}
