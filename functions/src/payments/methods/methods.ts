import { Timestamp } from 'firebase-admin/firestore';
import { DateTime } from 'luxon';
import type Stripe from 'stripe';
import { businessZone } from '../../platform/clock.ts';

/** What we keep of a payment method at Stripe, whatever its type; plain JSON, so that it can be stored with an event. */
export interface MethodFacts {
  id: string;
  /** Stripe's word: `card`, `sepa_debit`, `bacs_debit`, `link`, … */
  type: string;
  /** A card's brand, a bank's name or code; null where the type has none. */
  brand: string | null;
  last4: string | null;
  country: string | null;
  /** 1 to 12 and four digits; null for what does not expire. */
  expMonth: number | null;
  expYear: number | null;
  created: number;
}

/** `paymentMethods/{id}`: a mirror of what the customer has saved at Stripe. */
export interface SavedMethod extends Omit<MethodFacts, 'created'> {
  userId: string;
  isDefault: boolean;
  /** When the customer is to be told that it expires; null: told, too late, or it never expires. */
  noticeAt: Timestamp | null;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

/** Stripe keeps the particulars of each type under the type's name; most of them call the same things the same. */
export function methodFacts(method: Stripe.PaymentMethod): MethodFacts {
  const particulars = (method as unknown as Record<string, unknown>)[method.type];
  const of: Record<string, unknown> = typeof particulars === 'object' && particulars !== null ? { ...particulars } : {};
  return {
    id: method.id,
    type: method.type,
    brand: textOf(of.brand) ?? textOf(of.bank_name) ?? textOf(of.bank_code) ?? textOf(of.bank),
    last4: textOf(of.last4),
    country: textOf(of.country),
    expMonth: numberOf(of.exp_month),
    expYear: numberOf(of.exp_year),
    created: method.created,
  };
}

type Expiry = Pick<MethodFacts, 'expMonth' | 'expYear'>;

/** The first instant at which it is no longer valid: cards are good through the last day of their month. */
function expiresAt({ expMonth, expYear }: Expiry): DateTime | undefined {
  if (expMonth === null || expYear === null) return undefined;
  return DateTime.fromObject({ year: expYear, month: expMonth }, { zone: businessZone }).plus({ months: 1 });
}

export function isExpired(method: Expiry, now: Date): boolean {
  const end = expiresAt(method);
  return end !== undefined && end.toMillis() <= now.getTime();
}

/** A month before its end. Of a renewed card with another end the customer is told anew, of the same end once. */
function noticeAt(facts: MethodFacts, before: SavedMethod | undefined, now: Date): Timestamp | null {
  if (before?.expMonth === facts.expMonth && before.expYear === facts.expYear) return before.noticeAt;
  const end = expiresAt(facts);
  if (!end || isExpired(facts, now)) return null;
  return Timestamp.fromMillis(end.minus({ months: 1 }).toMillis());
}

/** Our document of a method as Stripe has it; undefined when it says the same already. */
export function mirrorMethod(
  userId: string,
  facts: MethodFacts,
  isDefault: boolean,
  before: SavedMethod | undefined,
  now: Date,
): SavedMethod | undefined {
  const { created, ...shown } = facts;
  const next: SavedMethod = {
    ...shown,
    userId,
    isDefault,
    noticeAt: noticeAt(facts, before, now),
    createdAt: Timestamp.fromMillis(created * 1000),
    updatedAt: Timestamp.fromDate(now),
  };
  const same = before && (Object.keys(next) as (keyof SavedMethod)[]).every((key) => sameValue(key, before, next));
  return same ? undefined : next;
}

function sameValue(key: keyof SavedMethod, before: SavedMethod, next: SavedMethod): boolean {
  if (key === 'updatedAt') return true;
  const [a, b] = [before[key], next[key]];
  return a instanceof Timestamp && b instanceof Timestamp ? a.toMillis() === b.toMillis() : a === b;
}

/** What its owner is shown. */
export interface ShownMethod {
  id: string;
  type: string;
  brand: string | null;
  last4: string | null;
  expMonth: number | null;
  expYear: number | null;
  isDefault: boolean;
  expired: boolean;
}

/** The default first, then the newest. */
export function shownMethods(methods: readonly SavedMethod[], now: Date): ShownMethod[] {
  const order = (a: SavedMethod, b: SavedMethod) =>
    Number(b.isDefault) - Number(a.isDefault) ||
    b.createdAt.toMillis() - a.createdAt.toMillis() ||
    (a.id < b.id ? -1 : 1);
  return [...methods].sort(order).map((method) => ({
    id: method.id,
    type: method.type,
    brand: method.brand,
    last4: method.last4,
    expMonth: method.expMonth,
    expYear: method.expYear,
    isDefault: method.isDefault,
    expired: isExpired(method, now),
  }));
}

/** "visa ending in 4242" */
export const nameOf = ({ brand, type, last4 }: Pick<SavedMethod, 'brand' | 'type' | 'last4'>): string =>
  [brand ?? type.replaceAll('_', ' '), ...(last4 ? [`ending in ${last4}`] : [])].join(' ');
