import type { Transaction } from 'firebase-admin/firestore';

/**
 * One planned write. Firestore wants every read of a transaction before its first write, so services plan (read,
 * decide, return writes) and whoever owns the transaction runs the writes of all of them together at the end.
 */
export type Write = (tx: Transaction) => void;

export function runWrites(tx: Transaction, writes: readonly Write[]): void {
  for (const write of writes) write(tx);
}
