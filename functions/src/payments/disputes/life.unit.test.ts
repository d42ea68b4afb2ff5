import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import type { AwaitingApproval } from '../../admin/approvals.ts';
import { approveOperation } from '../../admin/decisions.service.ts';
import type { Earning } from '../../coaches/earnings.ts';
import { planEntries } from '../../ledger/ledger.service.ts';
import { trialBalance, type LedgerDocument } from '../../ledger/ledger.ts';
import { disputeLost, nothingBorne } from '../../ledger/returns.ts';
import { days, minutes } from '../../platform/clock.ts';
import { minor } from '../../platform/money.ts';
import { runWrites } from '../../platform/write.ts';
import { payCoach } from '../../payouts/pay.service.ts';
import { openShop, payOutAll, type Shop } from '../../testing/shop.ts';
import { receiveEvent } from '../../webhooks/webhooks.service.ts';
import { resolveTransfers } from '../transfers/resolve.service.ts';
import { sendOrder } from '../transfers/transfers.service.ts';
import type { Transfer } from '../transfers/transfers.ts';
import { planLosses } from './losses.service.ts';
import type { Dispute } from './disputes.ts';
import { writeOffApproved, writeOffDebt } from './write-off.service.ts';

/** Disputes from the customer's bank to the ledger, on the Stripe emulator: its balances are the proof. */
let shop: Shop;

beforeEach(async () => {
  shop = await openShop();
});

afterEach(() => shop.close());

const anna = { uid: 'anna', email: 'anna@example.se', coach: false, admin: true };

const books = async () => trialBalance(await shop.all<LedgerDocument>('ledger'));
const dispute = async () => (await shop.all<Dispute>('disputes'))[0];
const earning = (paymentId: string) => shop.read<Earning>(`coaches/karin/earnings/${paymentId}`);
const disputeId = async () => (await shop.stripe.disputes.list()).data[0]?.id ?? '';
const answer = async (text: string) =>
  shop.stripe.disputes.update(await disputeId(), { evidence: { uncategorized_text: text }, submit: true });

async function decided(text: 'winning_evidence' | 'losing_evidence'): Promise<void> {
  await answer(text);
  await shop.advance(days(1));
  await shop.deliver();
}

/** The customer goes to their bank only after the coach was paid out; then the dispute is lost. */
async function loseAfterPayout(): Promise<string> {
  await shop.control('stripe', 'switches', { disputeAfterSeconds: 9 * 86_400 });
  const disputed = await shop.buy({ card: 'pm_card_createDispute' });
  await shop.advance(days(8));
  expect(await payOutAll(shop)).toMatchObject({ amount: 40_000 });
  await shop.advance(days(2));
  await shop.deliver();
  await decided('losing_evidence');
  expect(await earning(disputed)).toMatchObject({ settlement: 'debt' });
  expect(await shop.all<Transfer>('transfers')).toMatchObject([{ status: 'refused' }]);
  expect(await books()).toMatchObject({ dispute_held: 0, coach_receivable: 40_000 });
  await shop.expectBooksAsStripe();
  return disputed;
}

/** Nothing is with the bank any more, and nobody owes anybody for it. */
async function expectSettled(): Promise<void> {
  await shop.expectBooksAsStripe();
  expect(await books()).toMatchObject({ dispute_held: 0, coach_receivable: 0 });
}

describe('a disputed payment', () => {
  it('rests: a payout meanwhile is of the rest, and goes on when the dispute is won', async () => {
    const disputed = await shop.buy({ card: 'pm_card_createDispute' });
    await shop.buy();
    await shop.deliver();
    expect(await shop.payment(disputed)).toMatchObject({ status: 'disputed', disputedMinor: 49_900 });
    expect(await earning(disputed)).toMatchObject({ status: 'held', settlement: 'held' });
    expect(await dispute()).toMatchObject({ stage: 'open', withdrawnMinor: 49_900 });
    expect(await shop.openFlags()).toEqual([`dispute_${await disputeId()}`]);
    await shop.expectBooksAsStripe();
    // All of the coach's money is loose at Stripe now, the disputed too.
    await shop.advance(days(8));
    expect(await payOutAll(shop)).toMatchObject({ amount: 40_000 });
    await decided('winning_evidence');
    expect(await shop.payment(disputed)).toMatchObject({ status: 'succeeded', disputedMinor: 0 });
    expect(await earning(disputed)).toMatchObject({ status: 'available', settlement: 'open' });
    expect(await shop.openFlags()).toEqual([]);
    await expectSettled();
    expect(await shop.all('transfers')).toEqual([]);
  });

  it('lost: the share is taken back from the coach, exactly', async () => {
    const disputed = await shop.buy({ card: 'pm_card_createDispute' });
    await shop.deliver();
    await decided('losing_evidence');
    await shop.deliver();
    expect(await dispute()).toMatchObject({ stage: 'lost', lostMinor: 49_900 });
    expect(await earning(disputed)).toMatchObject({ status: 'reversed', reversedMinor: 40_000, settlement: 'settled' });
    expect(await shop.all<Transfer>('transfers')).toMatchObject([
      { kind: 'reversal', status: 'done', amountMinor: 40_000 },
    ]);
    await expectSettled();
    expect(await books()).toMatchObject({ coach_payable: 0, fee_revenue: 0, stripe_connected: 0 });
  });

  it('lost after it was paid out: a debt that stands, until an administrator writes it off in parts', async () => {
    shop.ctx.config.writeOffApprovalLimit = 30_000;
    const disputed = await loseAfterPayout();
    const write = (requestId: string, amountMinor?: number) =>
      writeOffDebt(shop.ctx, anna, { coachId: 'karin', reason: 'Gone abroad', requestId, amountMinor });
    await expect(write('too-much-1', 40_001)).rejects.toMatchObject({
      reason: 'not-owed',
      details: { owedMinor: 40_000 },
    });
    const part = { status: 'done', amountMinor: 25_000, payments: [{ paymentId: disputed, amountMinor: 25_000 }] };
    expect(await write('a-part-1', 25_000)).toMatchObject(part);
    expect(await write('a-part-1', 25_000)).toMatchObject(part);
    expect(await books()).toMatchObject({ losses: 25_000, coach_receivable: 15_000 });
    const orders = await shop.all<Transfer>('transfers');
    expect(orders.filter(({ status }) => status !== 'canceled')).toMatchObject([{ amountMinor: 15_000 }]);
    await shop.advance(days(1));
    await resolveTransfers(shop.ctx, shop.now());
    expect(await write('the-rest-1')).toMatchObject({ amountMinor: 15_000 });
    expect(await write('nothing-1').catch((error: unknown) => error)).toMatchObject({ reason: 'nothing-owed' });
    await expectSettled();
    expect(await books()).toMatchObject({ losses: 40_000, coach_payable: 0 });
    expect(await earning(disputed)).toMatchObject({ settlement: 'settled', reversedMinor: 0 });
    expect((await shop.all<Transfer>('transfers')).every(({ status }) => status === 'canceled')).toBe(true);
    expect(await shop.all('auditLog')).toHaveLength(2);
  });

  it('lost after it was paid out: the next sale’s share pays the debt', async () => {
    const disputed = await loseAfterPayout();
    await shop.buy();
    await shop.advance(days(1));
    await resolveTransfers(shop.ctx, shop.now());
    await shop.deliver();
    await expectSettled();
    expect(await books()).toMatchObject({ stripe_connected: 0, coach_payable: 0, losses: 0 });
    // What the bank let go of twice is not paid again: the debt is taken off in the next payout, which is nothing.
    await shop.advance(days(8));
    const next = { coachId: 'karin', currency: 'SEK', dueDate: '2026-12-14', runId: 'run-2' };
    expect(await payCoach(shop.ctx, next)).toBe('nothing');
    expect(await earning(disputed)).toMatchObject({ settlement: 'debt' });
    await shop.buy();
    expect(await payCoach(shop.ctx, next)).toBe('settled');
    await shop.deliver();
    expect(await earning(disputed)).toMatchObject({ settlement: 'settled' });
    expect(await books()).toMatchObject({ stripe_connected: 0, coach_payable: 0, coach_receivable: 0 });
    await shop.expectBooksAsStripe();
  });

  it('a debt above the limit is written off by two administrators', async () => {
    shop.ctx.config.writeOffApprovalLimit = 10_000;
    const disputed = await loseAfterPayout();
    const input = { coachId: 'karin', paymentId: disputed, reason: 'Ours to bear', requestId: 'write-off-1' };
    const waiting = (await writeOffDebt(shop.ctx, anna, input)) as AwaitingApproval;
    expect(waiting).toMatchObject({ status: 'awaiting-approval' });
    expect(await books()).toMatchObject({ losses: 0, coach_receivable: 40_000 });
    const decision = { approvalId: waiting.approvalId, requestId: 'decision-1' };
    const bo = { ...anna, uid: 'bo' };
    const confirmed = await approveOperation(shop.ctx, bo, decision, { writeOffDebt: writeOffApproved });
    expect(confirmed).toMatchObject({ status: 'approved', result: { status: 'done', amountMinor: 40_000 } });
    await expectSettled();
    expect(await books()).toMatchObject({ losses: 40_000 });
  });

  it('nothing is written off while Stripe may be taking it back', async () => {
    const disputed = await shop.buy({ card: 'pm_card_createDispute' });
    await shop.deliver();
    const { stripeTransferId = '' } = await shop.payment(disputed);
    const path = `/v1/transfers/${stripeTransferId}/reversals`;
    await shop.fault('error_500_before', path, { times: 50 });
    await shop.fault('error_500_before', path, { method: 'GET', times: 50 });
    await decided('losing_evidence');
    const input = { coachId: 'karin', paymentId: disputed, reason: 'Ours to bear', requestId: 'write-off-1' };
    await expect(writeOffDebt(shop.ctx, anna, input)).rejects.toMatchObject({ reason: 'take-back-under-way' });
    expect(await books()).toMatchObject({ losses: 0, coach_receivable: 40_000 });
  });

  it('lost, and by the rule of the house the platform bears it: the coach keeps the share', async () => {
    shop.ctx.config.disputeLoss = 'platform';
    const disputed = await shop.buy({ card: 'pm_card_createDispute' });
    await shop.deliver();
    await decided('losing_evidence');
    expect(await earning(disputed)).toMatchObject({ reversedMinor: 0 });
    expect((await earning(disputed))?.status).not.toBe('held');
    await expectSettled();
    expect(await books()).toMatchObject({ losses: 40_000, coach_payable: -40_000, stripe_connected: 40_000 });
    expect(await shop.all('transfers')).toEqual([]);
  });

  it('an inquiry holds nothing; escalated it does, and can be won', async () => {
    const asked = await shop.buy({ card: 'pm_card_createDisputeInquiry' });
    await shop.deliver();
    expect(await dispute()).toMatchObject({ stage: 'inquiry', withdrawnMinor: 0 });
    expect(await shop.payment(asked)).toMatchObject({ status: 'succeeded' });
    expect((await earning(asked))?.status).not.toBe('held');
    await answer('escalate_inquiry_evidence');
    await shop.advance(days(1));
    await shop.deliver();
    expect(await dispute()).toMatchObject({ stage: 'open', withdrawnMinor: 49_900 });
    expect(await earning(asked)).toMatchObject({ status: 'held' });
    await decided('winning_evidence');
    expect(await dispute()).toMatchObject({ stage: 'won', lostMinor: 0 });
    await expectSettled();
  });

  it('an inquiry that is answered comes to nothing', async () => {
    const asked = await shop.buy({ card: 'pm_card_createDisputeInquiry' });
    await shop.deliver();
    await decided('winning_evidence');
    expect(await dispute()).toMatchObject({ stage: 'closed' });
    expect(await shop.payment(asked)).toMatchObject({ status: 'succeeded' });
    expect(await shop.openFlags()).toEqual([]);
    await expectSettled();
  });

  it('partly refunded before: only what was left is disputed and lost, and the coach bears their part of it', async () => {
    await shop.control('stripe', 'switches', { disputeAfterSeconds: 3_600 });
    const disputed = await shop.buy({ card: 'pm_card_createDispute' });
    await shop.stripe.refunds.create({
      payment_intent: disputed,
      amount: 10_001,
      reverse_transfer: true,
      refund_application_fee: true,
    });
    await shop.deliver();
    await shop.advance(3_600_000);
    await shop.deliver();
    expect(await dispute()).toMatchObject({ amountMinor: 39_899, withdrawnMinor: 39_899 });
    await decided('losing_evidence');
    await shop.deliver();
    expect(await earning(disputed)).toMatchObject({ reversedMinor: 40_000, status: 'reversed' });
    await shop.expectBooksAsStripe();
    expect(await books()).toMatchObject({ dispute_held: 0, fee_revenue: 0 });
  });
});

describe('a process that dies while a loss is booked', () => {
  it('at any operation: Stripe’s retry and the sweep take the share back once', async () => {
    let runs = 0;
    for (let died = true; died; runs += 4) {
      await shop.close();
      shop = await openShop();
      await shop.buy({ card: 'pm_card_createDispute' });
      await shop.deliver();
      await answer('losing_evidence');
      await shop.advance(days(1));
      const { data } = await shop.control<{ data: Stripe.Event[] }>('stripe', 'events');
      const closed = data.filter(({ type }) => type === 'charge.dispute.closed');
      shop.dieAfter(runs);
      for (const event of closed) await receiveEvent(shop.ctx, event).catch(() => undefined);
      died = shop.revive();
      for (const event of closed) await receiveEvent(shop.ctx, event);
      await shop.advance(minutes(6));
      await resolveTransfers(shop.ctx, shop.now());
      await shop.deliver();
      expect(await shop.all<Transfer>('transfers')).toMatchObject([{ status: 'done', amountMinor: 40_000 }]);
      await expectSettled();
      expect(await shop.openFlags()).toEqual([]);
    }
    expect(runs).toBeGreaterThan(20);
  }, 120_000);
});

describe('a tenant’s dispute', () => {
  it('is the tenant’s: mirrored, booked on their account, and nobody of ours is asked', async () => {
    await shop.close();
    shop = await openShop({ chargeModel: 'direct' });
    const disputed = await shop.buy({ card: 'pm_card_createDispute' });
    await shop.deliver();
    expect(await dispute()).toMatchObject({ stage: 'open', paymentId: disputed, withdrawnMinor: 49_900 });
    expect(await shop.openFlags()).toEqual([]);
    expect(await shop.all('mail')).toEqual([]);
    await shop.expectBooksAsStripe();
    const there = { stripeAccount: shop.account };
    const [found] = (await shop.stripe.disputes.list({}, there)).data;
    const evidence = { uncategorized_text: 'losing_evidence' };
    await shop.stripe.disputes.update(found?.id ?? '', { evidence, submit: true }, there);
    await shop.advance(days(1));
    await shop.deliver();
    expect(await dispute()).toMatchObject({ stage: 'lost', lostMinor: 49_900 });
    expect(await shop.all('transfers')).toEqual([]);
    expect(await shop.openFlags()).toEqual([]);
    await expectSettled();
  });
});

describe('an appeal that is won', () => {
  /** The bank's second decision, as the aftermath would book it. */
  async function wonBack(paymentId: string): Promise<void> {
    const id = await disputeId();
    const payment = await shop.payment(paymentId);
    const entry = disputeLost(
      {
        paymentId,
        occurredAt: Timestamp.fromDate(shop.now()),
        currency: 'SEK',
        amountMinor: minor(-49_900),
        vatRate: 25,
        stripeObjectId: id,
        balanceTransactionIds: [],
        coachId: 'karin',
      },
      { ...nothingBorne, coachMinor: minor(-40_000), feeMinor: minor(-9_900) },
      2,
    );
    const send = await shop.ctx.db.runTransaction(async (tx) => {
      const losses = await planLosses(shop.ctx, tx, payment, [entry]);
      runWrites(tx, [...(await planEntries(shop.ctx, tx, [entry])), ...losses.writes]);
      return losses.send;
    });
    for (const order of send) await sendOrder(shop.ctx, order);
  }

  it('sends the share again from what the platform has', async () => {
    const paymentId = await shop.buy({ card: 'pm_card_createDispute' });
    await shop.buy({ productId: 'mat' });
    await shop.deliver();
    await decided('losing_evidence');
    await shop.advance(days(8));
    const { stripeTransferId } = await shop.payment(paymentId);
    await wonBack(paymentId);
    const id = await disputeId();
    expect(await shop.read<Transfer>(`transfers/dispute_${id}_2`)).toMatchObject({ kind: 'transfer', status: 'done' });
    expect(await books()).toMatchObject({ stripe_connected: 40_000, coach_receivable: -40_000, coach_payable: 0 });
    await shop.expectBooksAsStripe();
    // What a later refund would be taken from is still the sale's own transfer.
    expect((await shop.payment(paymentId)).stripeTransferId).toBe(stripeTransferId);
  });

  it('sends nothing when nothing could be taken: the order to take it is withdrawn', async () => {
    const paymentId = await loseAfterPayout();
    await wonBack(paymentId);
    expect(await shop.all<Transfer>('transfers')).toMatchObject([{ kind: 'reversal', status: 'canceled' }]);
    await shop.expectBooksAsStripe();
    expect(await books()).toMatchObject({ coach_receivable: 0, coach_payable: 0, stripe_connected: 0 });
  });

  it('by the rule that held at the loss: what was written off is no loss any more', async () => {
    shop.ctx.config.disputeLoss = 'platform';
    const paymentId = await shop.buy({ card: 'pm_card_createDispute' });
    await shop.deliver();
    await decided('losing_evidence');
    shop.ctx.config.disputeLoss = 'coach';
    await wonBack(paymentId);
    expect(await shop.all('transfers')).toEqual([]);
    expect(await books()).toMatchObject({ losses: 0, coach_receivable: 0, coach_payable: -40_000 });
  });
});

describe('events of a dispute in any order', () => {
  const endings = { winning_evidence: 'won', losing_evidence: 'lost' } as const;

  it.each(Object.entries(endings))(
    '%s: late, shuffled and doubled, they end alike and as Stripe',
    async (text, stage) => {
      await fc.assert(
        fc.asyncProperty(fc.infiniteStream(fc.nat(1_000)), async (stream) => {
          const one = await openShop();
          try {
            await play(one, text, () => Number(stream.next().value));
            const [found] = await one.all<Dispute>('disputes');
            expect(found).toMatchObject({ stage, withdrawnMinor: 49_900, lostMinor: stage === 'lost' ? 49_900 : 0 });
            await one.expectBooksAsStripe();
            const end = trialBalance(await one.all<LedgerDocument>('ledger'));
            const payable = stage === 'lost' ? 0 : -40_000;
            expect(end).toMatchObject({ dispute_held: 0, coach_receivable: 0, coach_payable: payable });
            expect(await one.openFlags()).toEqual([]);
          } finally {
            await one.close();
          }
        }),
        { numRuns: 15 },
      );
    },
    60_000,
  );

  /** A dispute's life with some of the events known so far delivered after each step, in an order drawn by lot. */
  async function play(one: Shop, text: string, draw: () => number): Promise<void> {
    const done = new Set<string>();
    const deliverSome = async (all: boolean) => {
      const { data } = await one.control<{ data: Stripe.Event[] }>('stripe', 'events');
      const waiting = data.filter(({ id }) => !done.has(id)).map((event) => ({ event, lot: draw() }));
      waiting.sort((a, b) => a.lot - b.lot);
      for (const { event, lot } of waiting) {
        if (!all && lot % 2 === 0) continue;
        done.add(event.id);
        await receiveEvent(one.ctx, event);
        if (lot % 3 === 0) await receiveEvent(one.ctx, { ...event, id: `${event.id}_again` });
      }
    };
    await one.buy({ card: 'pm_card_createDispute' });
    await deliverSome(false);
    const id = (await one.stripe.disputes.list()).data[0]?.id ?? '';
    await one.stripe.disputes.update(id, { evidence: { uncategorized_text: text }, submit: true });
    await deliverSome(false);
    await one.advance(days(1));
    await deliverSome(false);
    await deliverSome(true);
    await deliverSome(true);
  }
});
