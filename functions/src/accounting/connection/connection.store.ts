import { createHash } from 'node:crypto';
import type { Firestore, Transaction } from 'firebase-admin/firestore';
import { connectedPath, type ConnectedCompany } from '../../platform/fortnox/connected.ts';
import type { Attempt } from './connection.ts';

const attemptRef = (db: Firestore, state: string) =>
  db.collection('fortnoxConnections').doc(createHash('sha256').update(state).digest('hex'));

export async function createAttempt(db: Firestore, state: string, attempt: Attempt): Promise<void> {
  await attemptRef(db, state).create(attempt);
}

export async function readAttempt(db: Firestore, tx: Transaction, state: string): Promise<Attempt | undefined> {
  return (await tx.get(attemptRef(db, state))).data() as Attempt | undefined;
}

export function updateAttempt(db: Firestore, tx: Transaction, state: string, patch: Partial<Attempt>): void {
  tx.update(attemptRef(db, state), { ...patch });
}

export async function readConnected(db: Firestore, tx: Transaction): Promise<ConnectedCompany | undefined> {
  return (await tx.get(db.doc(connectedPath))).data() as ConnectedCompany | undefined;
}

export function writeConnected(db: Firestore, tx: Transaction, company: ConnectedCompany): void {
  tx.set(db.doc(connectedPath), company);
}
