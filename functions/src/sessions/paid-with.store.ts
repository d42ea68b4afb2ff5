import type { Firestore, Transaction } from 'firebase-admin/firestore';
import { typedCollection } from '../platform/firestore/converters.ts';
import type { Session } from './sessions.ts';

/** Sessions that a payment pays: its own, or those booked with what it bought in advance; the first to take place first. */
export async function sessionsPaidWith(
  db: Firestore,
  tx: Transaction,
  payment: { paymentId: string; sessionId?: string | undefined },
  limit: number,
): Promise<Session[]> {
  const sessions = typedCollection<Session>(db, 'sessions');
  const found = payment.sessionId
    ? [(await tx.get(sessions.doc(payment.sessionId))).data()]
    : (await tx.get(sessions.where('paidBy.paymentId', '==', payment.paymentId).limit(limit))).docs.map((doc) =>
        doc.data(),
      );
  return found.flatMap((session) => session ?? []).sort((a, b) => a.startsAt.toMillis() - b.startsAt.toMillis());
}
