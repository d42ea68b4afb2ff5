import { Timestamp, type Firestore, type Query } from 'firebase-admin/firestore';
import type { Payment, PaymentStatus } from '../payments.ts';

export interface HistoryQuery {
  userId: string;
  status?: PaymentStatus | undefined;
  productId?: string | undefined;
  /** Made at this instant or later. */
  from?: Date | undefined;
  /** Made before this instant. */
  before?: Date | undefined;
  /** The last payment of the page before. */
  after?: Payment | undefined;
  limit: number;
}

/** A user's payments, the newest first. Each filter has its index with userId and createdAt; Firestore joins them. */
export async function pageOf(db: Firestore, asked: HistoryQuery): Promise<Payment[]> {
  const { userId, status, productId, from, before, after, limit } = asked;
  let query: Query = db.collection('payments').where('userId', '==', userId);
  if (status !== undefined) query = query.where('status', '==', status);
  if (productId !== undefined) query = query.where('productId', '==', productId);
  if (from) query = query.where('createdAt', '>=', Timestamp.fromDate(from));
  if (before) query = query.where('createdAt', '<', Timestamp.fromDate(before));
  query = query.orderBy('createdAt', 'desc').orderBy('__name__', 'desc');
  if (after) query = query.startAfter(after.createdAt, after.stripePaymentId);
  return (await query.limit(limit).get()).docs.map((doc) => doc.data() as Payment);
}
