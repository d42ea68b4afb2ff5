import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { days } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { minor } from '../platform/money.ts';
import { runCommand } from '../platform/commands.ts';
import { expireApprovals, planApproval } from './approvals.service.ts';
import type { Approval, AwaitingApproval } from './approvals.ts';
import { approveOperation, rejectOperation, type Approved, type ApprovedActions } from './decisions.service.ts';
import { createTestFirestore } from '../testing/firestore.ts';

let now = new Date('2026-11-21T08:00:00Z');
let ctx: Context;
let done: Approved[];

/** An operation that counts how often it is really done. */
const actions: ApprovedActions = {
  payOut: (context, approved) =>
    runCommand<Approved, { paid: true }>(context, {
      command: 'payOut',
      uid: approved.by,
      requestId: approved.approvalId,
      input: approved.input,
      plan: async () => approved,
      execute: async (plan) => {
        done.push(plan);
        return { paid: true };
      },
    }),
  refuse: async () => {
    throw new Refusal('failed-precondition', 'too-late', 'Too late.');
  },
};

const person = (uid: string) => ({ uid, coach: false, admin: true });
const anna = person('anna');
const bo = person('bo');

beforeEach(() => {
  now = new Date('2026-11-21T08:00:00Z');
  done = [];
  const db = createTestFirestore({ now: () => now });
  ctx = { db, clock: { now: () => now }, log: silentLog } as unknown as Context;
});

const ask = async (action = 'payOut'): Promise<AwaitingApproval> =>
  runCommand<AwaitingApproval, AwaitingApproval>(ctx, {
    command: action,
    uid: anna.uid,
    requestId: 'asked-for-1',
    input: { paymentId: 'pi_1' },
    plan: async (tx) => {
      const request = {
        action,
        by: anna.uid,
        input: { paymentId: 'pi_1' },
        amountMinor: minor(600_000),
        reason: 'asked',
        about: ['lisa'],
      };
      const { reply, write } = planApproval(ctx, 'asked-for-1', request);
      write(tx);
      return reply;
    },
    execute: async (plan) => plan,
  });
const read = async (id: string) => (await ctx.db.doc(`approvals/${id}`).get()).data() as Approval;
const decision = (approvalId: string, requestId = 'decided-1') => ({ approvalId, requestId });

describe('a second administrator', () => {
  it('confirms what another asked for, and it is done once with its frozen input', async () => {
    const { approvalId } = await ask();
    expect(await ask()).toEqual({ status: 'awaiting-approval', approvalId });
    const replies = await Promise.all(
      Array.from({ length: 5 }, () => approveOperation(ctx, bo, decision(approvalId), actions)),
    );
    expect(replies).toContainEqual({ approvalId, status: 'approved', result: { paid: true } });
    expect(new Set(done.map((each) => JSON.stringify(each)))).toEqual(
      new Set([JSON.stringify({ approvalId, by: 'anna', approvedBy: 'bo', input: { paymentId: 'pi_1' } })]),
    );
    expect(await read(approvalId)).toMatchObject({ status: 'approved', approvedBy: 'bo', amountMinor: 600_000 });
    expect((await ctx.db.collection('auditLog').get()).docs.map((doc) => doc.data())).toMatchObject([
      { by: 'bo', action: 'approveOperation', subject: `approvals/${approvalId}` },
    ]);
    await expect(approveOperation(ctx, bo, decision(approvalId, 'decided-2'), actions)).rejects.toMatchObject({
      reason: 'approval-decided',
    });
  });

  it('is not the one who asked, who may take it back', async () => {
    const { approvalId } = await ask();
    await expect(approveOperation(ctx, anna, decision(approvalId), actions)).rejects.toMatchObject({
      reason: 'second-administrator-needed',
      code: 'permission-denied',
    });
    expect(await rejectOperation(ctx, anna, decision(approvalId))).toEqual({ approvalId, status: 'rejected' });
    await expect(approveOperation(ctx, bo, decision(approvalId), actions)).rejects.toMatchObject({
      reason: 'approval-decided',
    });
    expect(done).toEqual([]);
  });

  it('yes and no at once: one of them stands', async () => {
    const { approvalId } = await ask();
    const both = await Promise.allSettled([
      approveOperation(ctx, bo, decision(approvalId), actions),
      rejectOperation(ctx, person('cia'), decision(approvalId)),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(done).toHaveLength((await read(approvalId)).status === 'approved' ? 1 : 0);
  });

  it('comes too late after a week', async () => {
    const { approvalId } = await ask();
    now = new Date(now.getTime() + days(7));
    await expect(approveOperation(ctx, bo, decision(approvalId), actions)).rejects.toMatchObject({
      reason: 'approval-expired',
    });
    expect(await expireApprovals(ctx, now)).toEqual({ expired: 1 });
    expect(await expireApprovals(ctx, now)).toEqual({ expired: 0 });
    expect(await read(approvalId)).toMatchObject({ status: 'expired' });
  });

  it('hears the refusal of what cannot be done any more, and hears it again', async () => {
    const { approvalId } = await ask('refuse');
    for (let i = 0; i < 2; i++) {
      await expect(approveOperation(ctx, bo, decision(approvalId), actions)).rejects.toMatchObject({
        reason: 'too-late',
      });
    }
  });

  it('is told of an id that is not there', async () => {
    await expect(approveOperation(ctx, bo, decision('ap-0'), actions)).rejects.toMatchObject({
      reason: 'approval-not-found',
    });
  });
});
