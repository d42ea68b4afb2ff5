import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planEarning } from '../coaches/earnings.service.ts';
import { planEntries, readEntries } from '../ledger/ledger.service.ts';
import { sessionCompleted } from '../ledger/shares.ts';
import type { Context } from '../platform/context.ts';
import { minor, type Currency, type Minor } from '../platform/money.ts';
import type { Write } from '../platform/write.ts';
import type { Payment } from './payments.ts';
import { updatePayment } from './payments.store.ts';
import { incomeSoFar, standingOf } from './aftermath/bearing.ts';
import { releaseShare } from './release.ts';
import { releaseId } from './transfers/transfers.ts';
import { planTransfer } from './transfers/transfers.service.ts';

/** A session whose held price is to become the coach's share and the platform's fee. */
export interface Release {
  sessionId: string;
  /** As this transaction has read it. */
  payment: Payment;
  /** The session's part of what is held (in the currency Stripe settled in); all of it where the payment is for one session. */
  grossMinor: Minor;
  /** When it was completed. */
  at: Timestamp;
}

/**
 * Plans what completing a session does to money: ledger, earning, the payment's held amounts, the transfer. Planned again
 * for the same session it changes nothing. After the commit the caller runs `sendOrder(ctx, releaseId(sessionId))`; a lost
 * one is made up for by the sweep. Throws when less is held than is to be released: a broken book.
 */
export async function planRelease(ctx: Context, tx: Transaction, release: Release): Promise<Write[]> {
  const { sessionId, payment, grossMinor, at } = release;
  const { coachId, held, stripeChargeId, stripePaymentId } = payment;
  if (!coachId || !held || !stripeChargeId)
    throw new Error(`payments/${stripePaymentId} holds no money for session ${sessionId}.`);
  const [ledgerId, saleId] = [`${sessionId}:session_completed`, `${stripeChargeId}:sale`];
  const booked = await readEntries(ctx.db, tx, [ledgerId, saleId]);
  if (booked.has(ledgerId)) return [];
  const sold = booked.get(saleId);
  if (!sold) throw new Error(`ledger/${saleId}, which holds the money of session ${sessionId}, is not there.`);
  const { coachMinor, feeMinor, held: next } = releaseShare(payment, held, grossMinor);
  const entry = sessionCompleted(
    {
      occurredAt: at,
      currency: settledIn(payment),
      stripeObjectId: stripeChargeId,
      paymentId: stripePaymentId,
      coachId,
      grossMinor,
      coachMinor,
      feeMinor,
      vatRate: sold.parts.vatRate,
      vat: {
        ...(sold.parts.coachVat ? { coachVat: true } : {}),
        before: incomeSoFar(standingOf(payment, sold)),
      },
    },
    sessionId,
  );
  const updatedAt = Timestamp.fromDate(ctx.clock.now());
  return [
    ...(await planEntries(ctx, tx, [entry])),
    ...(await planSessionShare(ctx, tx, { sessionId, payment, grossMinor, coachMinor, ledgerId: entry.id })),
    (t) => updatePayment(ctx.db, t, stripePaymentId, { held: next, updatedAt }),
  ];
}

const settledIn = (payment: Payment): Currency => payment.settlement?.currency ?? payment.currency;

/**
 * Plans a session's earning and transfer where the ledger's document is written by somebody else: what is kept of a session
 * cancelled late (the document is its refund's). The same order id, so that a session is sent once.
 */
export async function planSessionShare(
  ctx: Context,
  tx: Transaction,
  share: {
    sessionId: string;
    payment: Payment;
    grossMinor: Minor;
    coachMinor: Minor;
    ledgerId: string;
    /** A dispute of the payment is open. */
    disputed?: boolean;
  },
): Promise<Write[]> {
  const { sessionId, payment, grossMinor, coachMinor, ledgerId, disputed = false } = share;
  const { coachId, stripeAccountId, stripeChargeId, stripePaymentId: paymentId } = payment;
  const currency = settledIn(payment);
  if (!coachId || !stripeAccountId || !stripeChargeId)
    throw new Error(`payments/${paymentId} does not say whom the share of session ${sessionId} goes to.`);
  const earning = await planEarning(ctx, tx, coachId, {
    // A bundle's payment has an earning for each of its sessions.
    paymentId: payment.sessionId === sessionId ? paymentId : `${paymentId}_${sessionId}`,
    amountMinor: grossMinor,
    feeMinor: minor(grossMinor - coachMinor),
    currency,
    description: payment.description,
    customerName: payment.customerName,
    ledgerId,
    availableOn: payment.availableOn ?? Timestamp.fromDate(ctx.clock.now()),
    disputed,
  });
  if (coachMinor === 0) return earning;
  const order = { id: releaseId(sessionId), coachId, stripeAccountId, paymentId, sessionId, currency };
  return [
    ...earning,
    ...(await planTransfer(ctx, tx, { ...order, amountMinor: coachMinor, sourceChargeId: stripeChargeId })),
  ];
}
