/** What the emulator knows of Connect beyond accounts, and of event destinations. */
import type Stripe from 'stripe';
import type { KeptReply } from './idempotency.ts';

/** An event destination (v2): where events go, thin or as snapshots, with its secret. */
export interface Destination {
  object: Stripe.V2.Core.EventDestination;
  secret: string;
}

export interface ConnectWorld {
  /** Login links that were not opened yet. */
  readonly loginLinks: Map<string, { account: string; expiresAt: number }>;
  /** The plan that counts, by account: one made before does nothing when it is due. */
  readonly payoutPlans: Map<string, string>;
  /** The automatic payout that a balance transaction was paid out by. */
  readonly paidOutBy: Map<string, string>;
  readonly destinations: Map<string, Destination>;
  /** Thin events that no snapshot stands behind, by id. */
  readonly ownEvents: Map<string, ThinEvent>;
  /** Answers of v2 by idempotency key. */
  readonly kept: Map<string, KeptReply>;
}

/** A thin event: it names what it is about and says nothing of it. */
export interface ThinEvent {
  id: string;
  object: 'v2.core.event';
  type: string;
  created: string;
  livemode: false;
  /** The connected account. */
  context?: string;
  reason?: { type: 'request'; request: { id: string; idempotency_key: string } };
  snapshot_event?: string;
  related_object?: { id?: string; type: string; url: string };
}

export const createConnectWorld = (): ConnectWorld => ({
  loginLinks: new Map(),
  payoutPlans: new Map(),
  paidOutBy: new Map(),
  destinations: new Map(),
  ownEvents: new Map(),
  kept: new Map(),
});
