import type { Firestore, Timestamp, Transaction } from 'firebase-admin/firestore';
import type { Approval } from './approvals.ts';

/** `approvals/{id}`. */
const approvals = (db: Firestore) => db.collection('approvals');

export const approvalPath = (id: string): string => `approvals/${id}`;

export async function readApproval(db: Firestore, id: string, tx?: Transaction): Promise<Approval | undefined> {
  const ref = approvals(db).doc(id);
  return (await (tx ? tx.get(ref) : ref.get())).data() as Approval | undefined;
}

export function createApproval(db: Firestore, tx: Transaction, id: string, approval: Approval): void {
  tx.create(approvals(db).doc(id), approval);
}

export function writeApproval(db: Firestore, tx: Transaction, id: string, approval: Approval): void {
  tx.set(approvals(db).doc(id), approval);
}

/** Those nobody decided in time, the oldest first. Index: status, expiresAt. */
export async function overdue(db: Firestore, now: Timestamp, limit: number): Promise<string[]> {
  const found = await approvals(db)
    .where('status', '==', 'waiting')
    .where('expiresAt', '<=', now)
    .orderBy('expiresAt')
    .limit(limit)
    .get();
  return found.docs.map((doc) => doc.id);
}
