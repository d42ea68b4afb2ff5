import { Timestamp } from 'firebase-admin/firestore';
import type { Flag } from '../../admin/flags.ts';
import { planResolve } from '../../admin/flags.service.ts';
import { days } from '../../platform/clock.ts';
import type { Context } from '../../platform/context.ts';
import { silentLog } from '../../platform/log.ts';
import { runWrites } from '../../platform/write.ts';
import { createTestFirestore } from '../../testing/firestore.ts';
import type { Payment } from '../payments.ts';
import { planDisputeMirror, remindOfDisputes } from './disputes.service.ts';
import type { Dispute, DisputeFacts } from './disputes.ts';

const start = Date.parse('2026-11-23T07:00:00Z');
const payment = {
  stripePaymentId: 'pi_1',
  userId: 'lisa',
  coachId: 'karin',
  chargeModel: 'destination',
  description: 'Programme',
} as Payment;

const facts = (status: string, withdrawnMinor = 0, reinstatedMinor = 0): DisputeFacts => ({
  id: 'du_1',
  status,
  reason: 'fraudulent',
  amountMinor: 49_900,
  currency: 'sek',
  createdMs: start,
  evidenceDueByMs: start + days(14),
  isInquiry: status.startsWith('warning_'),
  withdrawnMinor,
  reinstatedMinor,
  evidenceSubmitted: status.endsWith('under_review'),
});

function setUp(disputeLoss: 'coach' | 'platform' = 'coach') {
  const clock = { at: start, now: () => new Date(clock.at) };
  const ctx = { db: createTestFirestore(), clock, log: silentLog, config: { disputeLoss } } as unknown as Context;
  const { db } = ctx;
  return {
    ctx,
    clock,
    tell: (told: DisputeFacts, of: Payment = payment) =>
      db.runTransaction(async (tx) => runWrites(tx, await planDisputeMirror(ctx, tx, of, [told]))),
    close: () => db.runTransaction(async (tx) => runWrites(tx, await planResolve(ctx, tx, 'dispute_du_1', 'by hand'))),
    dispute: async () => (await db.doc('disputes/du_1').get()).data() as Dispute | undefined,
    flag: async () => (await db.doc('flags/dispute_du_1').get()).data() as Flag | undefined,
    letters: async () => (await db.collection('mail').get()).docs.map((doc) => doc.id).sort(),
    text: async (id: string) => (await db.doc(`mail/${id}`).get()).get('message.text') as string,
  };
}

describe('what a dispute leaves for people', () => {
  it('a document, a flag with the deadline until it is answered, letters when it is opened and decided', async () => {
    const { tell, dispute, flag, letters, text } = setUp();
    await tell(facts('needs_response', 49_900));
    expect(await dispute()).toMatchObject({
      paymentId: 'pi_1',
      userId: 'lisa',
      coachId: 'karin',
      amount: 499,
      amountMinor: 49_900,
      currency: 'SEK',
      stage: 'open',
      evidenceDueBy: Timestamp.fromMillis(start + days(14)),
      withdrawnMinor: 49_900,
    });
    expect(await flag()).toMatchObject({ status: 'open', severity: 'critical', subject: 'disputes/du_1' });
    expect((await flag())?.message).toContain('2026-12-07');
    await tell(facts('under_review', 49_900));
    expect(await flag()).toMatchObject({ status: 'resolved', resolvedBy: 'system' });
    await tell(facts('lost', 49_900));
    expect(await dispute()).toMatchObject({ stage: 'lost', lostMinor: 49_900 });
    expect(await letters()).toEqual(['dispute-lost_du_1', 'dispute-open_du_1']);
    expect(await text('dispute-lost_du_1')).toContain('taken back');
  });

  it('told again, it asks nobody twice: a flag that a person has closed stays closed', async () => {
    const { tell, close, flag } = setUp();
    await tell(facts('needs_response'));
    await close();
    await tell(facts('needs_response', 49_900));
    expect(await flag()).toMatchObject({ status: 'resolved', resolution: 'by hand' });
    await tell(facts('appeal_needs_response', 49_900));
    expect(await flag()).toMatchObject({ status: 'open' });
  });

  it('an appeal that nobody answered is over after its deadline, when Stripe says lost again', async () => {
    const { tell, clock, flag, dispute } = setUp();
    await tell(facts('lost', 49_900));
    await tell(facts('appeal_needs_response', 49_900));
    await tell(facts('lost', 49_900));
    expect(await flag()).toMatchObject({ status: 'open' });
    clock.at = start + days(14) + 1;
    await tell(facts('lost', 49_900));
    await tell(facts('lost', 49_900));
    expect(await flag()).toMatchObject({ status: 'resolved', resolution: expect.stringContaining('lost') as string });
    await tell(facts('appeal_needs_response', 49_900));
    expect(await flag()).toMatchObject({ status: 'resolved' });
    expect(await dispute()).toMatchObject({ lostMinor: 49_900 });
  });

  it('an inquiry wants an answer and holds nothing; escalated, it is a dispute', async () => {
    const { tell, dispute, flag, letters } = setUp();
    await tell(facts('warning_needs_response'));
    expect(await dispute()).toMatchObject({ stage: 'inquiry', withdrawnMinor: 0 });
    expect(await flag()).toMatchObject({ status: 'open' });
    expect(await letters()).toEqual([]);
    await tell(facts('warning_under_review'));
    await tell(facts('needs_response', 49_900));
    expect(await dispute()).toMatchObject({ stage: 'open' });
    expect(await flag()).toMatchObject({ status: 'open' });
    expect(await letters()).toEqual(['dispute-open_du_1']);
    await tell(facts('won', 49_900, 49_900));
    expect(await flag()).toMatchObject({ status: 'resolved' });
    expect(await letters()).toEqual(['dispute-open_du_1', 'dispute-won_du_1']);
  });

  it('by the rule of the house the coach keeps the share of a lost dispute, and reads so', async () => {
    const { tell, text } = setUp('platform');
    await tell(facts('lost', 49_900));
    expect(await text('dispute-lost_du_1')).toContain('You keep your share');
  });

  it('a tenant’s dispute is mirrored, and nobody is asked', async () => {
    const { tell, dispute, flag, letters } = setUp();
    await tell(facts('needs_response', 49_900), { ...payment, chargeModel: 'direct' });
    expect(await dispute()).toMatchObject({ stage: 'open' });
    expect(await dispute()).not.toHaveProperty('remindAt');
    expect(await flag()).toBeUndefined();
    expect(await letters()).toEqual([]);
  });

  it('reminds once, three days before the deadline, of what has no answer yet', async () => {
    const { ctx, clock, tell, flag, close } = setUp();
    const sweep = () => remindOfDisputes(ctx, ctx.clock.now());
    await tell(facts('needs_response', 49_900));
    await close();
    clock.at = start + days(11) - 1;
    expect(await sweep()).toEqual({ reminded: 0 });
    clock.at += 1;
    expect(await sweep()).toEqual({ reminded: 1 });
    expect(await flag()).toMatchObject({ status: 'open', message: expect.stringContaining('Reminder') as string });
    expect(await sweep()).toEqual({ reminded: 0 });
    await tell(facts('under_review', 49_900));
    expect(await flag()).toMatchObject({ status: 'resolved' });
  });

  it('answered in time, nobody is reminded', async () => {
    const { ctx, clock, tell, flag } = setUp();
    await tell(facts('needs_response', 49_900));
    await tell(facts('under_review', 49_900));
    clock.at = start + days(13);
    expect(await remindOfDisputes(ctx, ctx.clock.now())).toEqual({ reminded: 0 });
    expect(await flag()).toMatchObject({ status: 'resolved' });
  });
});
