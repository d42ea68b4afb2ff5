import type { Timestamp } from 'firebase-admin/firestore';
import { Refusal } from '../../platform/errors.ts';
import { minor, type Minor } from '../../platform/money.ts';

/** Sessions paid in advance: the credits of one purchase, exact to the single one. */
export interface CreditsGrant {
  kind: 'credits';
  productId: string;
  coachId?: string;
  total: number;
  /** What was paid for all of them, and how much of that went back. */
  amountMinor: Minor;
  returnedMinor: Minor;
  /** By session. One whose booking was taken back stays named, so that a repeat gives nothing twice. */
  sessions: Record<string, SpentFor>;
  from: Timestamp;
  until: Timestamp | null;
  /** The price is held until sessions are completed (bundles); with a subscription it is the coach's at once. */
  held: boolean;
}

export interface SpentFor {
  /** Which of the credits, 1 to total: decides the öre of its price. Free again when it is returned. */
  number: number;
  state: 'spent' | 'returned';
}

type Price = Pick<CreditsGrant, 'amountMinor' | 'total'>;

/** What the first n credits cost together: rounded down once, so that all of them cost exactly what was paid. */
export function priceOfFirst(n: number, { amountMinor, total }: Price): Minor {
  return minor(Number((BigInt(amountMinor) * BigInt(n)) / BigInt(total)));
}

/** The price of one credit, by its number (1 to total). 1000 for 3: 333, 333, 334. */
export function priceOfCredit(number: number, grant: Price): Minor {
  return minor(priceOfFirst(number, grant) - priceOfFirst(number - 1, grant));
}

/** How many credits the money that went back pays for; a part of one takes none. */
export function creditsGivenBack(grant: Pick<CreditsGrant, 'amountMinor' | 'total' | 'returnedMinor'>): number {
  if (grant.returnedMinor >= grant.amountMinor) return grant.total;
  let n = 0;
  while (n < grant.total && priceOfFirst(n + 1, grant) <= grant.returnedMinor) n++;
  return n;
}

/** Sessions that hold a credit now. */
export function spentCredits(grant: Pick<CreditsGrant, 'sessions'>): string[] {
  return Object.keys(grant.sessions).filter((sessionId) => grant.sessions[sessionId]?.state === 'spent');
}

export function creditsLeft(grant: CreditsGrant): number {
  return Math.max(0, grant.total - spentCredits(grant).length - creditsGivenBack(grant));
}

/** Spends one for a session; spent for that session before, the grant itself. Throws a Refusal a customer can read. */
export function spendCredit(grant: CreditsGrant, sessionId: string): CreditsGrant {
  const known = grant.sessions[sessionId]?.state;
  if (known === 'spent') return grant;
  if (known === 'returned') {
    throw new Refusal(
      'failed-precondition',
      'credit-returned',
      'The credit of this session was given back. Book a new session.',
    );
  }
  if (creditsLeft(grant) === 0) throw noCredits();
  const taken = new Set(spentCredits(grant).map((id) => grant.sessions[id]?.number));
  let number = 1;
  while (taken.has(number)) number++;
  return { ...grant, sessions: { ...grant.sessions, [sessionId]: { number, state: 'spent' } } };
}

/** Gives it back; given back before, or never spent, the grant itself. */
export function returnCredit(grant: CreditsGrant, sessionId: string): CreditsGrant {
  const known = grant.sessions[sessionId];
  if (known?.state !== 'spent') return grant;
  return { ...grant, sessions: { ...grant.sessions, [sessionId]: { ...known, state: 'returned' } } };
}

export const noCredits = (): Refusal =>
  new Refusal('failed-precondition', 'no-credits-left', 'You have no sessions left to book with. Buy a bundle first.');

/** Which purchase a session is booked from: valid then, with credits left, the one that ends first, then the oldest. */
export function purchaseFor(
  grants: Readonly<Record<string, CreditsGrant>>,
  wanted: { coachId: string; at: Timestamp },
): string | undefined {
  const end = ({ until }: CreditsGrant) => until?.toMillis() ?? Number.POSITIVE_INFINITY;
  const usable = Object.entries(grants).filter(
    ([, grant]) => grant.coachId === wanted.coachId && creditsLeft(grant) > 0 && end(grant) > wanted.at.toMillis(),
  );
  usable.sort(([a, x], [b, y]) => {
    const byEnd = end(x) === end(y) ? 0 : end(x) - end(y);
    return byEnd || x.from.toMillis() - y.from.toMillis() || (a < b ? -1 : 1);
  });
  return usable[0]?.[0];
}
