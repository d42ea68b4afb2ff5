import { resolveVouchers } from '../accounting/accounting.service.ts';
import { issueReceipts } from '../accounting/receipts/receipts.service.ts';
import { expireApprovals } from '../admin/approvals.service.ts';
import { raiseFlag, resolveFlag } from '../admin/flags.service.ts';
import { goOnErasing } from '../admin/privacy/erase.service.ts';
import { emptyOldEvents } from '../admin/privacy/minimise.service.ts';
import { noticeExpiring } from '../payments/methods/expiry.service.ts';
import { expireOrders } from '../payments/orders/expiry.service.ts';
import { remindOfDisputes } from '../payments/disputes/disputes.service.ts';
import { resumeCommands } from '../payments/recovery.service.ts';
import { lookAtOverdue } from '../payments/subscriptions/overdue.service.ts';
import { settleSetups } from '../payments/subscriptions/setup.service.ts';
import { resolveRefunds } from '../payments/refunds/resolve.service.ts';
import { resolveTransfers } from '../payments/transfers/resolve.service.ts';
import { resolvePayouts } from '../payouts/payouts.service.ts';
import { resolvePlatformPayouts } from '../payouts/platform/platform.service.ts';
import type { Context } from '../platform/context.ts';
import { messageOf } from '../platform/errors.ts';
import { expireSessions } from '../sessions/expiry.service.ts';
import { completeEnded, flagDropped } from '../sessions/life-sweep.service.ts';
import { recoverEvents } from '../webhooks/recovery.service.ts';
import { checkInvariants } from './invariants.service.ts';
import { sweepFlag, sweepFlagId } from './reconciliation-flags.ts';
import * as logs from './reconciliation.logs.ts';
import { resumeReconciliations } from './run.service.ts';

/** A part of the sweep: repairs what was missed, safe to run at any time and any number of times. */
export interface SweepPart {
  part: string;
  run: (ctx: Context, now: Date) => Promise<unknown>;
}

/** In this order: events bring objects, objects end commands, and what then is unclear is asked about. */
const parts: readonly SweepPart[] = [
  { part: 'events', run: recoverEvents },
  { part: 'commands', run: resumeCommands },
  { part: 'orders', run: expireOrders },
  { part: 'unpaid sessions', run: expireSessions },
  { part: 'ended sessions', run: completeEnded },
  { part: 'dropped sessions', run: flagDropped },
  { part: 'approvals', run: expireApprovals },
  { part: 'trials', run: settleSetups },
  { part: 'renewals', run: lookAtOverdue },
  { part: 'refunds', run: resolveRefunds },
  { part: 'transfers', run: resolveTransfers },
  { part: 'payouts', run: resolvePayouts },
  { part: 'platform payouts', run: resolvePlatformPayouts },
  { part: 'expiring methods', run: noticeExpiring },
  { part: 'disputes', run: remindOfDisputes },
  { part: 'vouchers', run: resolveVouchers },
  { part: 'receipts', run: issueReceipts },
  { part: 'erasures', run: goOnErasing },
  { part: 'old events', run: emptyOldEvents },
  { part: 'reconciliations', run: resumeReconciliations },
  { part: 'invariants', run: (ctx) => checkInvariants(ctx) },
];

/** Some parts failed; the others ran. */
export class SweepFailed extends Error {
  readonly failures: readonly { part: string; error: string }[];

  constructor(failures: readonly { part: string; error: string }[]) {
    super(`The sweep failed in part: ${failures.map(({ part, error }) => `${part}: ${error}`).join('; ')}`);
    this.name = 'SweepFailed';
    this.failures = failures;
  }
}

/**
 * The repair that runs every five minutes: what a crash, a lost event or an unclear outcome left behind. A part that fails
 * stops none of the others; it is flagged, and thrown as SweepFailed at the end, so that the run counts as failed.
 */
export async function sweepOnce(ctx: Context, now: Date, some: readonly SweepPart[] = parts): Promise<void> {
  const started = ctx.clock.now().getTime();
  const failures: { part: string; error: string }[] = [];
  for (const { part, run } of some) {
    try {
      await run(ctx, now);
    } catch (error) {
      failures.push({ part, error: messageOf(error) });
      logs.sweepPartFailed(ctx.log, part, error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
    }
  }
  logs.swept(
    ctx.log,
    ctx.clock.now().getTime() - started,
    failures.map(({ part }) => part),
  );
  if (failures.length === 0) return resolveFlag(ctx, sweepFlagId, 'Every part of the sweep ran.');
  await raiseFlag(ctx, sweepFlag(failures));
  throw new SweepFailed(failures);
}
