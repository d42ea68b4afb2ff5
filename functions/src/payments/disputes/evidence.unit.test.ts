import { Timestamp } from 'firebase-admin/firestore';
import type { Flag } from '../../admin/flags.ts';
import { days, hours, minutes } from '../../platform/clock.ts';
import { minor } from '../../platform/money.ts';
import { openShop, type Shop } from '../../testing/shop.ts';
import { resumeCommands } from '../recovery.service.ts';
import type { Dispute } from './disputes.ts';
import { withRecords } from './evidence.ts';
import { submitDisputeEvidence } from './evidence.service.ts';

const anna = { uid: 'anna', email: 'anna@example.se', coach: false, admin: true };

describe('what our records say of a disputed sale', () => {
  const at = (text: string) => Timestamp.fromDate(new Date(text));
  const payment = {
    description: 'Three sessions',
    customerName: 'Lisa Kund',
    amountMinor: minor(100_000),
    currency: 'SEK' as const,
    createdAt: at('2026-11-01T08:00:00Z'),
    paidAt: at('2026-11-01T08:01:00Z'),
  };
  const sessions = [
    { startsAt: at('2026-11-05T09:00:00Z'), status: 'no_show' as const, description: 'Coaching' },
    { startsAt: at('2026-11-09T09:00:00Z'), status: 'completed' as const, description: 'Coaching' },
  ];

  it('is what was sold, to whom, and what came of it', () => {
    const said = withRecords({}, { payment, sessions, programme: { from: payment.paidAt, weeks: 4 } });
    expect(said).toMatchObject({
      product_description: 'Three sessions',
      customer_name: 'Lisa Kund',
      service_date: '2026-11-09',
    });
    expect(said.access_activity_log?.split('\n')).toEqual([
      expect.stringContaining('2026-11-01: paid'),
      '2026-11-01: access opened, for 4 weeks.',
      '2026-11-05T09:00:00.000Z: Coaching, the customer did not come.',
      '2026-11-09T09:00:00.000Z: Coaching, took place.',
    ]);
  });

  it('gives way to what a person has written', () => {
    const given = { service_date: '2026-11-02', uncategorized_text: 'She thanked us.' };
    expect(withRecords(given, { payment, sessions: [] })).toMatchObject(given);
  });
});

describe('an answer to a dispute', () => {
  let shop: Shop;
  let disputeId: string;

  beforeEach(async () => {
    shop = await openShop();
    await shop.buy({ card: 'pm_card_createDispute' });
    await shop.advance(minutes(1));
    await shop.deliver();
    disputeId = (await shop.stripe.disputes.list()).data[0]?.id ?? '';
  });
  afterEach(() => shop.close());

  const send = (submit: boolean, uncategorized_text = 'winning_evidence', requestId = 'evidence-1') =>
    submitDisputeEvidence(shop.ctx, anna, { disputeId, evidence: { uncategorized_text }, submit, requestId });
  const dispute = () => shop.read<Dispute>(`disputes/${disputeId}`);
  const flag = () => shop.read<Flag>(`flags/dispute_${disputeId}`);
  const submissions = async () => (await shop.stripe.disputes.retrieve(disputeId)).evidence_details.submission_count;

  it('is kept at Stripe until it is submitted, and then sent once; the flag says so', async () => {
    expect(await send(false, 'A draft.', 'evidence-0')).toMatchObject({ status: 'needs_response', submit: false });
    await shop.deliver();
    expect(await flag()).toMatchObject({ status: 'open' });
    const reply = await send(true);
    expect(reply).toMatchObject({
      status: 'under_review',
      evidence: { product_description: 'Programme', customer_name: 'Lisa Kund' },
    });
    expect(await send(true)).toEqual(reply);
    expect((await shop.stripe.disputes.retrieve(disputeId)).evidence).toMatchObject(reply.evidence);
    await shop.deliver();
    expect(await dispute()).toMatchObject({ evidenceSubmitted: true, status: 'under_review' });
    expect(await flag()).toMatchObject({
      status: 'resolved',
      resolution: expect.stringContaining('Evidence was submitted') as string,
    });
    await expect(send(true, 'More.', 'evidence-2')).rejects.toMatchObject({ reason: 'dispute-takes-no-answer' });
    expect(await submissions()).toBe(1);
    expect(await shop.all('auditLog')).toMatchObject([
      { by: 'anna', action: 'submitDisputeEvidence', subject: `disputes/${disputeId}` },
      { by: 'anna', action: 'submitDisputeEvidence', after: { submit: true } },
    ]);
    await shop.advance(days(1));
    await shop.deliver();
    expect(await dispute()).toMatchObject({ stage: 'won' });
    await shop.expectBooksAsStripe();
  });

  it('whose own answer was lost is found out by the sweep, also when Stripe has forgotten the key', async () => {
    await shop.fault('timeout_after_success', `/v1/disputes/${disputeId}`, { times: 100 });
    await expect(send(true, 'Words.')).rejects.toMatchObject({ reason: 'outcome-unknown' });
    await shop.clearFaults();
    await shop.advance(hours(25));
    await resumeCommands(shop.ctx, shop.now());
    expect(await send(true, 'Words.')).toMatchObject({ submit: true });
    expect(await submissions()).toBe(1);
  });

  it('is sent once, wherever the process dies', async () => {
    for (let operations = 0; ; operations++) {
      shop.dieAfter(operations);
      await send(true).catch(() => undefined);
      if (!shop.revive()) break;
      expect(operations).toBeLessThan(60);
    }
    expect(await submissions()).toBe(1);
  });

  it('of a dispute we do not know is refused', async () => {
    const input = { disputeId: 'du_none', submit: true, requestId: 'evidence-1' };
    await expect(submitDisputeEvidence(shop.ctx, anna, input)).rejects.toMatchObject({ reason: 'dispute-not-found' });
  });
});
