import type { FlagInput } from '../admin/flags.ts';
import type { Coach } from '../coaches/coaches.ts';
import { businessTime } from '../platform/clock.ts';
import type { Session } from './sessions.ts';

/** One flag a session, whatever is in its way: it closes by itself when the session ends. */
export const droppedId = (sessionId: string): string => `session-dropped_${sessionId}`;

const flag = (sessionId: string, severity: FlagInput['severity'], message: string, action: string): FlagInput => ({
  id: droppedId(sessionId),
  kind: 'session-dropped',
  severity,
  subject: `sessions/${sessionId}`,
  message,
  action,
});

/** Why a coach may not give their sessions; undefined where nothing is in the way. */
export function outReason(coach: Coach | undefined): string | undefined {
  if (!coach) return 'is no longer there';
  if (coach.accountStatus === 'deauthorized') return 'has shut us out of their Stripe account';
  if (coach.accountStatus === 'rejected') return 'had their Stripe account closed by Stripe';
  return coach.hold ? `has their payouts held: ${coach.hold.reason}` : undefined;
}

/** A session that is to come, or came, and whose coach has fallen out. */
export const coachOut = (sessionId: string, { coachId, startsAt }: Session, why: string): FlagInput =>
  flag(
    sessionId,
    'warning',
    `Coach ${coachId} ${why}, and session ${sessionId} is booked for ${businessTime(startsAt.toDate())}.`,
    'Ask both sides. Cancel it, and the customer gets everything back; or, where it takes place, complete it: the coach’s share is kept for them until it can be sent.',
  );

export const unpaidAtEnd = (sessionId: string, { endsAt, paymentStatus }: Session): FlagInput =>
  flag(
    sessionId,
    'warning',
    `Session ${sessionId} ended ${businessTime(endsAt.toDate())} and its payment is ${paymentStatus}.`,
    'Look at its payment in the Stripe dashboard. Paid, it is completed by itself; not paid, cancel it and ask the customer.',
  );
