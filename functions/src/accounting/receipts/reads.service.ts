import type { Language } from '../../coaches/requirements.ts';
import { readPayment } from '../../payments/reads.service.ts';
import type { Payment } from '../../payments/payments.ts';
import type { Caller } from '../../platform/auth.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { makePdf } from '../../platform/pdf.ts';
import { receiptPdf } from './receipt-pdf.ts';
import { issueReceipt, SellerUnknown } from './receipts.service.ts';
import { receiptIdOf, type Issued, type ReceiptKind } from './receipts.ts';
import * as store from './receipts.store.ts';

export interface ReceiptInput {
  /** The sale's receipt of this payment … */
  paymentId?: string | undefined;
  /** … or one document, a credit note among them. */
  receiptId?: string | undefined;
  locale: Language;
}

export interface ReceiptReply {
  receiptId: string;
  number: string;
  kind: ReceiptKind;
  fileName: string;
  contentType: string;
  /** The file, base64. */
  base64: string;
  /** Every document of the same payment, this one among them, in the order of their making. */
  documents: { receiptId: string; number: string; kind: ReceiptKind }[];
}

/**
 * A receipt or credit note as PDF: for its customer, for the coach whose sale it is, for administrators. One that is still
 * to be made is made now. Throws Refusal.
 */
export async function getReceipt(ctx: Context, caller: Caller, input: ReceiptInput): Promise<ReceiptReply> {
  const { paymentId, receiptId, locale } = input;
  if ((paymentId === undefined) === (receiptId === undefined)) {
    throw new Refusal('invalid-argument', 'payment-or-receipt', 'Name a payment or a receipt, one of the two.');
  }
  const asked = receiptId ?? (await receiptOfPayment(ctx, caller, paymentId ?? ''));
  const receipt = await store.readReceipt(ctx.db, asked);
  const payment = receipt && (await readPayment(ctx.db, receipt.paymentId));
  if (!receipt || !payment || !concerns(caller, payment)) throw notFound();
  const all = await store.receiptsOf(ctx.db, receipt.paymentId);
  const file = await makePdf(receiptPdf(receipt, locale));
  return {
    receiptId: asked,
    number: receipt.number,
    kind: receipt.kind,
    fileName: `${receipt.number}.pdf`,
    contentType: 'application/pdf',
    base64: file.toString('base64'),
    documents: all.sort(byMaking).map((each) => ({
      receiptId: each.id,
      number: each.receipt.number,
      kind: each.receipt.kind,
    })),
  };
}

/** Whose it is not learns nothing, not even that it is there. */
const notFound = () => new Refusal('not-found', 'receipt-not-found', 'There is no such receipt.');

const concerns = ({ uid, admin }: Caller, { userId, coachId }: Payment): boolean =>
  admin || uid === userId || uid === coachId;

/** A year's numbers are longer only when there are more of them. */
const byMaking = (a: Issued, b: Issued): number =>
  a.receipt.createdAt.toMillis() - b.receipt.createdAt.toMillis() ||
  a.receipt.number.localeCompare(b.receipt.number, 'en', { numeric: true });

async function receiptOfPayment(ctx: Context, caller: Caller, paymentId: string): Promise<string> {
  const payment = await readPayment(ctx.db, paymentId);
  if (!payment || !concerns(caller, payment)) throw notFound();
  if (payment.chargeModel === 'direct') {
    throw new Refusal(
      'failed-precondition',
      'receipt-of-the-seller',
      'The seller of this took the payment in their own name, and gives the receipt. Ask them for it.',
    );
  }
  if (payment.stripeChargeId === undefined) {
    throw new Refusal('failed-precondition', 'not-paid', 'There is a receipt once the payment has succeeded.');
  }
  const ledgerId = `${payment.stripeChargeId}:sale`;
  try {
    await issueReceipt(ctx, ledgerId);
  } catch (error) {
    if (!(error instanceof SellerUnknown)) throw error;
    throw new Refusal(
      'failed-precondition',
      'seller-details-missing',
      'The receipt waits for the seller’s name and address. Contact support.',
    );
  }
  return receiptIdOf(ledgerId);
}
