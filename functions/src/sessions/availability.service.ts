import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planAudit } from '../admin/audit.service.ts';
import { coachAsked, type Caller } from '../platform/auth.ts';
import { runCommand } from '../platform/commands.ts';
import type { Context } from '../platform/context.ts';
import { runWrites } from '../platform/write.ts';
import { requireSound, usual, type Availability } from './availability.ts';
import * as store from './slots.store.ts';

export type Offered = Pick<Availability, 'weekly' | 'exceptions' | 'noticeHours' | 'horizonDays'>;

/** All of it each time: hours that are left out are no longer there, and the rest is as usual. */
export interface AvailabilityInput {
  weekly?: Offered['weekly'] | undefined;
  exceptions?: Offered['exceptions'] | undefined;
  noticeHours?: number | undefined;
  horizonDays?: number | undefined;
  /** An administrator's: whose; a coach's own otherwise. */
  coachId?: string | undefined;
  requestId: string;
}

export type AvailabilityReply = Offered & { coachId: string };

const setAvailabilityCommand = 'setAvailability';

/** When a coach can be booked from now on. What is booked already stays. Throws Refusal. */
export function setAvailability(ctx: Context, caller: Caller, input: AvailabilityInput): Promise<AvailabilityReply> {
  return runCommand<AvailabilityReply, AvailabilityReply>(ctx, {
    command: setAvailabilityCommand,
    uid: caller.uid,
    requestId: input.requestId,
    input,
    plan: (tx) => planAvailability(ctx, tx, caller, input),
  });
}

async function planAvailability(
  ctx: Context,
  tx: Transaction,
  caller: Caller,
  { requestId, coachId: asked, ...told }: AvailabilityInput,
): Promise<AvailabilityReply> {
  const coachId = coachAsked(caller, asked);
  const { weekly = [], exceptions = [], noticeHours = usual.noticeHours, horizonDays = usual.horizonDays } = told;
  const offered: Offered = { weekly, exceptions, noticeHours, horizonDays };
  requireSound(offered);
  const at = Timestamp.fromDate(ctx.clock.now());
  const before = await store.readAvailability(ctx.db, coachId, tx);
  store.writeAvailability(ctx.db, tx, coachId, { ...offered, createdAt: before?.createdAt ?? at, updatedAt: at });
  if (coachId !== caller.uid) {
    const decided = {
      by: caller.uid,
      action: setAvailabilityCommand,
      subject: `availability/${coachId}`,
      after: offered,
    };
    runWrites(tx, [planAudit(ctx, `${setAvailabilityCommand}_${caller.uid}_${requestId}`, decided)]);
  }
  return { coachId, ...offered };
}
