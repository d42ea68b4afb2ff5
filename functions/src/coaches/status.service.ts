import { Timestamp } from 'firebase-admin/firestore';
import type { Context } from '../platform/context.ts';
import {
  isResting,
  needsOnboarding,
  newCoach,
  payoutObstacle,
  type AccountStatus,
  type Coach,
  type PayoutDestination,
  type PayoutObstacle,
  type PayoutSettings,
} from './coaches.ts';
import { readCoach, refreshIfPossible } from './coaches.service.ts';
import { requirementTexts, type RequirementTexts } from './requirements.ts';
import type { Terms } from './terms.ts';

export interface CoachStatusReply {
  stripeAccountId: string | null;
  accountStatus: AccountStatus;
  acceptsPayments: boolean;
  chargesEnabled: boolean;
  payoutsEnabled: boolean;
  /** In Stripe's own words. */
  requirementsDue: string[];
  /** The same in sentences, Swedish and English. */
  requirementsText: RequirementTexts;
  /** When what is due must be given, ISO 8601, UTC; then Stripe restricts the account. */
  requirementsDeadline: string | null;
  needsOnboarding: boolean;
  currency: string;
  country: string;
  terms: Terms;
  payoutSettings: PayoutSettings;
  /** Where payouts go. */
  payoutDestination: { kind: PayoutDestination['kind']; last4: string; status: string } | null;
  /** Why nothing is paid out now; null when nothing stands in the way. */
  payoutObstacle: PayoutObstacle | null;
  /** Until when payouts rest after a change of where they go, ISO 8601, UTC. */
  payoutsRestUntil: string | null;
  /** An administrator holds payouts, for this reason. */
  holdReason: string | null;
}

/** Where the coach stands. An account not active yet is fetched from Stripe: a coach coming back from its pages sees the truth. */
export async function coachStatus(ctx: Context, coachId: string): Promise<CoachStatusReply> {
  const stored = await readCoach(ctx, coachId);
  const settled = stored?.accountStatus === 'active' || stored?.accountStatus === 'deauthorized';
  const coach = stored && !settled ? await refreshIfPossible(ctx, coachId, stored) : stored;
  return replyOf(coach ?? newCoach(ctx.config, Timestamp.fromDate(ctx.clock.now())), ctx.clock.now());
}

function replyOf(coach: Coach, now: Date): CoachStatusReply {
  const { payoutDestination: to, payoutRest: rest } = coach;
  return {
    stripeAccountId: coach.stripeAccountId ?? null,
    accountStatus: coach.accountStatus,
    acceptsPayments: coach.acceptsPayments,
    chargesEnabled: coach.chargesEnabled,
    payoutsEnabled: coach.payoutsEnabled,
    requirementsDue: coach.requirementsDue,
    requirementsText: requirementTexts(coach.requirementsDue),
    requirementsDeadline: coach.requirementsDeadline?.toDate().toISOString() ?? null,
    needsOnboarding: needsOnboarding(coach),
    currency: coach.currency,
    country: coach.country,
    terms: coach.terms,
    payoutSettings: coach.payoutSettings,
    payoutDestination: to ? { kind: to.kind, last4: to.last4, status: to.status } : null,
    payoutObstacle: payoutObstacle(coach, now) ?? null,
    payoutsRestUntil: rest && isResting(coach, now) ? rest.until.toDate().toISOString() : null,
    holdReason: coach.hold?.reason ?? null,
  };
}
