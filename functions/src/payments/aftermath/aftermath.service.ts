import { isDeepStrictEqual } from 'node:util';
import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planReturn } from '../../coaches/earnings.service.ts';
import { planEntries, readEntries } from '../../ledger/ledger.service.ts';
import type { Context } from '../../platform/context.ts';
import { minor } from '../../platform/money.ts';
import { runWrites, type Write } from '../../platform/write.ts';
import { planDisputeMirror } from '../disputes/disputes.service.ts';
import { planLosses } from '../disputes/losses.service.ts';
import { planConsequences } from '../moves.service.ts';
import type { Payment } from '../payments.ts';
import { readPayment, updatePayment } from '../payments.store.ts';
import { keptShares, planRefundMirror } from '../refunds/mirror.service.ts';
import { sendOrder } from '../transfers/transfers.service.ts';
import type { AftermathFacts } from './aftermath.ts';
import { bookAftermath, upToShared } from './booking.ts';
import { fetchAftermath, type ChargeAt } from './fetch.service.ts';
import { planKept } from './kept.service.ts';

export { fetchAftermath } from './fetch.service.ts';

/** What a plan needs beside the facts. */
export interface AftermathNews {
  facts: AftermathFacts;
  /** When it was heard of. */
  at: Timestamp;
  sourceEventId?: string;
}

/** `waits`: its sale is not booked yet. `foreign`: the charge is on another account than its payment. */
export type PlannedAftermath =
  /** `send`: orders to Stripe that are written by then; to be sent after the commit. `more`: the charge is looked at again then. */
  | { outcome: 'planned'; writes: Write[]; payment: Payment; send: string[]; more: boolean }
  | { outcome: 'waits'; for: string }
  | { outcome: 'foreign'; payment: Payment };

/** Where a sale is booked; events after it wait for this path. */
export const salePath = (chargeId: string): string => `ledger/${chargeId}:sale`;

/**
 * Plans all that follows from what Stripe booked after a charge: ledger, payment, the coach's earnings. The one way in for
 * our own calls' answers, for events and for the sweep, in any order.
 */
export async function planAftermath(
  ctx: Context,
  tx: Transaction,
  payment: Payment,
  { facts: found, at, sourceEventId }: AftermathNews,
): Promise<PlannedAftermath> {
  const tenantAccount = payment.chargeModel === 'direct' ? (payment.stripeAccountId ?? null) : null;
  if (found.tenantAccountId !== tenantAccount) return { outcome: 'foreign', payment };
  const documents = await readEntries(ctx.db, tx, [`${found.chargeId}:sale`, ...ledgerIds(found)]);
  const sale = documents.get(`${found.chargeId}:sale`);
  if (!sale) return { outcome: 'waits', for: salePath(found.chargeId) };
  const kept = payment.held ? await keptShares(ctx, tx, payment.stripePaymentId, found.refunds) : new Map();
  const sharing = upToShared(found, kept, documents);
  const facts = sharing ?? found;
  const booked = bookAftermath({
    payment,
    sale,
    facts,
    booked: new Set(documents.keys()),
    decidedAt: at,
    kept,
    sourceEventId,
  });
  const next: Payment = { ...payment, ...booked.patch, updatedAt: Timestamp.fromDate(ctx.clock.now()) };
  const losses = await planLosses(ctx, tx, payment, booked.entries);
  const shared = await planKept(ctx, tx, payment, booked);
  const returnedShareMinor = minor(booked.returnedShareMinor - losses.writtenOffMinor);
  const writes = [
    ...(await planEntries(ctx, tx, booked.entries)),
    ...(await planShare(ctx, tx, payment, { returnedShareMinor, held: booked.held })),
    ...losses.writes,
    ...shared.writes,
    ...(await planDisputeMirror(ctx, tx, payment, facts.disputes)),
    ...(await planConsequences(ctx, tx, next)),
    ...(await planRefundMirror(ctx, tx, next, facts.refunds)),
    ...planPatch(ctx, payment, booked.patch),
  ];
  return {
    outcome: 'planned',
    writes,
    payment: next,
    send: [...losses.send, ...shared.send],
    more: sharing !== undefined,
  };
}

/** Several events tell of one thing: those that bring nothing new leave the payment alone, and do not wait for each other. */
function planPatch(ctx: Context, payment: Payment, patch: Partial<Payment>): Write[] {
  const known = Object.entries(patch).every(([field, value]) =>
    isDeepStrictEqual(payment[field as keyof Payment], value),
  );
  const updatedAt = Timestamp.fromDate(ctx.clock.now());
  return known ? [] : [(tx) => updatePayment(ctx.db, tx, payment.stripePaymentId, { ...patch, updatedAt })];
}

async function planShare(
  ctx: Context,
  tx: Transaction,
  payment: Payment,
  { returnedShareMinor, held }: Pick<ReturnType<typeof bookAftermath>, 'returnedShareMinor' | 'held'>,
): Promise<Write[]> {
  if (!payment.coachId) return [];
  const paymentId = payment.stripePaymentId;
  return planReturn(ctx, tx, payment.coachId, { paymentId, returnedMinor: returnedShareMinor, held });
}

/** Every ledger document the facts can lead to. */
function ledgerIds({ refunds, reversals, feeRefunds, disputes }: AftermathFacts): string[] {
  const movements = disputes.flatMap((dispute) => [...dispute.movements, ...dispute.platformFees]);
  return [
    ...refunds.flatMap(({ id }) => [`${id}:refund`, `${id}:refund_failed`]),
    ...reversals.map(({ id }) => `${id}:transfer_reversal`),
    ...feeRefunds.map(({ id }) => `${id}:fee_refund`),
    ...movements.flatMap(({ id }) => [`${id}:dispute_withdrawn`, `${id}:dispute_reinstated`, `${id}:fee`]),
  ];
}

/**
 * Looks at Stripe and books what it finds, outside any event: after our own refund, and for the sweep. Returns the
 * payment as it then is; undefined when there is no such payment or its sale is not booked yet.
 */
export async function bookAftermathOf(ctx: Context, where: ChargeAt): Promise<Payment | undefined> {
  const facts = await fetchAftermath(ctx, where);
  if (!facts) return undefined;
  const booked = await ctx.db.runTransaction(async (tx) => {
    const payment = await readPayment(ctx.db, facts.paymentId, tx);
    if (!payment) return undefined;
    const planned = await planAftermath(ctx, tx, payment, { facts, at: Timestamp.fromDate(ctx.clock.now()) });
    if (planned.outcome !== 'planned') return undefined;
    runWrites(tx, planned.writes);
    return planned;
  });
  for (const id of booked?.send ?? []) await sendOrder(ctx, id);
  return booked?.more ? bookAftermathOf(ctx, where) : booked?.payment;
}
