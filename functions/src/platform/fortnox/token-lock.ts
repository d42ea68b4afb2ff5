import { Timestamp, type Firestore, type Transaction } from 'firebase-admin/firestore';
import { minutes } from '../clock.ts';

/**
 * `locks/fortnox-token`: who may use the refresh token now, and what is known of it. It holds no token. A refresh token
 * works once, so two instances that refresh at once would end the company's consent.
 */
export interface TokenLockDocument {
  /** One process; null when nobody holds it. */
  holder: string | null;
  /** Goes up with every holder, so that one who slept past its lease finds out. */
  fence: number;
  expiresAt: Timestamp;
  /** The newest version of the secret that is known to be stored: Secret Manager's "latest" may lag behind it. */
  version: number;
  /** The version whose token was sent to Fortnox and whose answer is not stored yet. */
  asked: { version: number; at: Timestamp } | null;
  /** The version whose token Fortnox no longer takes; a newer one clears it. */
  consentNeeded: { version: number; at: Timestamp; reason: string } | null;
  updatedAt: Timestamp;
}

export type Lease = { readonly fence: number; readonly found: TokenLockDocument };

export interface TokenLock {
  read(): Promise<TokenLockDocument>;
  /** Takes the lease when it is free, has run out or is this holder's already; null while somebody else holds it. */
  take(holder: string): Promise<Lease | null>;
  /** Before each question: notes it and prolongs the lease; false when the lease has gone to somebody else. */
  asking(fence: number, version: number): Promise<boolean>;
  /** Whether the lease is still this holder's. */
  holds(fence: number): Promise<boolean>;
  /** The question was turned away unread. */
  notAsked(fence: number): Promise<void>;
  /** A version is stored, whoever holds the lease by now. */
  stored(version: number): Promise<void>;
  consentNeeded(version: number, reason: string): Promise<void>;
  release(fence: number): Promise<void>;
}

/** Longer than one call to Fortnox may take (20 s) and than storing its answer; each question prolongs it. */
export const LEASE_MS = minutes(1);

export function createTokenLock(db: Firestore, now: () => Date): TokenLock {
  const ref = db.collection('locks').doc('fortnox-token');
  const time = () => Timestamp.fromDate(now());

  async function load(tx?: Transaction): Promise<TokenLockDocument> {
    const snapshot = await (tx === undefined ? ref.get() : tx.get(ref));
    const free = { holder: null, fence: 0, version: 0, asked: null, consentNeeded: null };
    const never = Timestamp.fromMillis(0);
    return (snapshot.data() as TokenLockDocument | undefined) ?? { ...free, expiresAt: never, updatedAt: never };
  }

  /** Changes the document by what it says now; `null` leaves it alone. Gives what was found. */
  function change(
    decide: (found: TokenLockDocument) => Partial<TokenLockDocument> | null,
  ): Promise<{ found: TokenLockDocument; changed: boolean }> {
    return db.runTransaction(async (tx) => {
      const found = await load(tx);
      const patch = decide(found);
      if (patch !== null) tx.set(ref, { ...found, ...patch, updatedAt: time() });
      return { found, changed: patch !== null };
    });
  }

  const leaseEnd = () => Timestamp.fromMillis(now().getTime() + LEASE_MS);

  return {
    read: () => load(),
    async take(holder) {
      const others = ({ holder: other, expiresAt }: TokenLockDocument) =>
        other !== null && other !== holder && expiresAt.toMillis() > now().getTime();
      // Those who wait look without a transaction: theirs would hold up the one that works.
      if (others(await load())) return null;
      const { found, changed } = await change((document) =>
        others(document) ? null : { holder, fence: document.fence + 1, expiresAt: leaseEnd() },
      );
      return changed ? { fence: found.fence + 1, found } : null;
    },
    async asking(fence, version) {
      const { changed } = await change((found) =>
        found.fence === fence ? { asked: { version, at: time() }, expiresAt: leaseEnd() } : null,
      );
      return changed;
    },
    async holds(fence) {
      return (await load()).fence === fence;
    },
    async notAsked(fence) {
      await change((found) => (found.fence === fence ? { asked: null } : null));
    },
    async stored(version) {
      await change((found) => {
        if (version <= found.version) return null;
        const newer = <T extends { version: number }>(note: T | null) =>
          note !== null && note.version >= version ? note : null;
        return { version, asked: newer(found.asked), consentNeeded: newer(found.consentNeeded) };
      });
    },
    async consentNeeded(version, reason) {
      await change((found) =>
        found.version > version ? null : { consentNeeded: { version, at: time(), reason }, asked: null },
      );
    },
    async release(fence) {
      await change((found) => (found.fence === fence ? { holder: null, expiresAt: time() } : null));
    },
  };
}
