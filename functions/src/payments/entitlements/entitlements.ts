import type { Timestamp } from 'firebase-admin/firestore';
import { creditsGivenBack, spentCredits, type CreditsGrant } from './credits.ts';
import { programmeView, type ProgrammeGrant } from './programmes.ts';

/**
 * `customers/{uid}.entitlements`: what a customer may use, for clients to read. `grants` holds the facts, one per payment and
 * subscription; the rest is worked out from them, so that facts may come in any order and any number of times.
 */
export interface Entitlements {
  /** One of the platform's own subscriptions gives access now. */
  premium: boolean;
  /** By product: subscriptions that give access now. `until` is the end of the period that is paid or on trial. */
  subscriptions: Record<string, { coachId?: string; until: Timestamp | null }>;
  /** By product. `until` null: without an end. */
  programmes: Record<string, { from: Timestamp; until: Timestamp | null }>;
  /** By payment: sessions bought in a bundle, or with a subscription for its period. */
  credits: Record<string, CreditsView>;
  grants: Record<string, Grant>;
}

export interface CreditsView {
  productId: string;
  coachId?: string;
  total: number;
  used: number;
  /** Given back for money. */
  refunded: number;
  left: number;
  /** Spent by then, or lost; null: no end. */
  until: Timestamp | null;
}

export type Grant = SubscriptionGrant | ProgrammeGrant | CreditsGrant;

export interface SubscriptionGrant {
  kind: 'subscription';
  productId: string;
  coachId?: string;
  /** Stripe's word. */
  status: string;
  until: Timestamp | null;
  latestPaymentId?: string;
  /** Its payments whose money went back whole. */
  returned: string[];
}

/** While a payment is late Stripe tries again, and access stays; it ends with the last attempt. */
const accessStatuses = new Set(['trialing', 'active', 'past_due']);

export function givesAccess(grant: SubscriptionGrant): boolean {
  const paidBack = grant.latestPaymentId !== undefined && grant.returned.includes(grant.latestPaymentId);
  return accessStatuses.has(grant.status) && !paidBack;
}

/** The view of the facts. Pure; the order in which grants came makes no difference. */
export function viewOf(grants: Record<string, Grant>): Entitlements {
  const entries = Object.entries(grants);
  const subscriptions: Entitlements['subscriptions'] = {};
  const credits: Entitlements['credits'] = {};
  for (const [, grant] of entries) {
    if (grant.kind !== 'subscription' || !givesAccess(grant)) continue;
    const known = subscriptions[grant.productId];
    const until = known ? later(known.until, grant.until) : grant.until;
    subscriptions[grant.productId] = { ...(grant.coachId ? { coachId: grant.coachId } : {}), until };
  }
  for (const [key, grant] of entries) if (grant.kind === 'credits') credits[key] = creditsView(grant);
  return {
    premium: Object.values(subscriptions).some(({ coachId }) => coachId === undefined),
    subscriptions,
    programmes: programmeView(entries.map(([, grant]) => grant).filter((grant) => grant.kind === 'programme')),
    credits,
    grants,
  };
}

function creditsView(grant: CreditsGrant): CreditsView {
  const used = spentCredits(grant).length;
  const refunded = creditsGivenBack(grant);
  return {
    productId: grant.productId,
    ...(grant.coachId ? { coachId: grant.coachId } : {}),
    total: grant.total,
    used,
    refunded,
    left: Math.max(0, grant.total - used - refunded),
    until: grant.until,
  };
}

function later(a: Timestamp | null, b: Timestamp | null): Timestamp | null {
  if (!a || !b) return a ?? b;
  return a.toMillis() >= b.toMillis() ? a : b;
}
