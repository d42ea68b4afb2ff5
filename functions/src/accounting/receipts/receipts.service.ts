import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { raiseFlag, resolveGone, resolveOthers } from '../../admin/flags.service.ts';
import { subjectId, type Flag } from '../../admin/flags.ts';
import { readCoach } from '../../coaches/coaches.service.ts';
import {
  countWithoutReceipt,
  entriesById,
  readEntries,
  setReceipt,
  withoutReceipt,
} from '../../ledger/ledger.service.ts';
import type { LedgerDocument } from '../../ledger/ledger.ts';
import { readOrder, readPayment } from '../../payments/reads.service.ts';
import { businessDate } from '../../platform/clock.ts';
import type { Context } from '../../platform/context.ts';
import { messageOf } from '../../platform/errors.ts';
import { lastNumber } from '../../platform/number-series.ts';
import * as flags from './receipt-flags.ts';
import * as logs from './receipts.logs.ts';
import {
  creditedMinor,
  creditOf,
  isSale,
  numberOf,
  receiptIdOf,
  receiptOf,
  sellingCoach,
  seriesOf,
  type Receipt,
  type ReceiptContents,
  type Seller,
  type Sold,
} from './receipts.ts';
import * as store from './receipts.store.ts';

/** Documents read at a time, and made by one sweep; the rest waits five minutes. */
const pageSize = 200;
const sweepLimit = 200;

/** The seller's name or address is not known. */
export class SellerUnknown extends Error {
  readonly coachId: string | undefined;

  constructor(coachId: string | undefined) {
    super(
      `Who sells is not known: ${coachId === undefined ? 'PLATFORM_NAME and PLATFORM_ADDRESS' : `coach ${coachId}`}.`,
    );
    this.name = 'SellerUnknown';
    this.coachId = coachId;
  }
}

/**
 * For the sweep: makes the receipts and credit notes of what was booked, in the order in which the money moved. What waits
 * for its seller's name or fails holds up no other; a sale's credit notes follow its receipt.
 */
export async function issueReceipts(ctx: Context): Promise<{ issued: number; waiting: number }> {
  let issued = 0;
  const unknown = new Map<string | undefined, number>();
  for (let after: LedgerDocument | undefined; ;) {
    const page = await withoutReceipt(ctx.db, after, pageSize);
    for (const document of page) {
      if (issued >= sweepLimit) break;
      const seller = sellingCoach(ctx.config.accountingProfile, document);
      const waiting = unknown.get(seller);
      // Nothing is asked again for a seller who was not known a moment ago.
      if (waiting !== undefined) unknown.set(seller, waiting + 1);
      else issued += await issueOne(ctx, document, unknown);
    }
    after = page.at(-1);
    if (page.length < pageSize || issued >= sweepLimit) break;
    if (unknown.has(undefined) && ctx.config.accountingProfile !== 'agent') {
      // The platform sells everything: all of it waits, and is counted, not read, every five minutes.
      unknown.set(undefined, await countWithoutReceipt(ctx.db));
      break;
    }
  }
  for (const [seller, waiting] of unknown) {
    logs.sellerUnknown(ctx.log, seller ?? 'platform', waiting);
    await raiseFlag(ctx, flags.sellerUnknown(seller, waiting));
  }
  // Of whom nothing was looked at it cannot be said that nothing waits.
  const whole = issued < sweepLimit;
  const standing = new Set([...unknown.keys()].map(flags.sellerFlagId));
  if (whole) await resolveOthers(ctx, flags.sellerKind, standing, 'The seller is known; nothing waits for it.');
  await resolveGone(ctx, flags.failedKind, (open) => made(ctx, open), 'It is made.');
  return { issued, waiting: [...unknown.values()].reduce((total, waiting) => total + waiting, 0) };
}

async function made(ctx: Context, failed: readonly Flag[]): Promise<Flag[]> {
  const documents = await entriesById(ctx.db, failed.map(subjectId));
  const ids = new Set(documents.flatMap(({ id, receiptId }) => (receiptId === null ? [] : id)));
  return failed.filter((flag) => ids.has(subjectId(flag)));
}

async function issueOne(
  ctx: Context,
  { id }: LedgerDocument,
  unknown: Map<string | undefined, number>,
): Promise<number> {
  try {
    await issueReceipt(ctx, id);
    return 1;
  } catch (error) {
    if (error instanceof SellerUnknown) {
      unknown.set(error.coachId, (unknown.get(error.coachId) ?? 0) + 1);
      return 0;
    }
    logs.receiptFailed(ctx.log, id, messageOf(error));
    await raiseFlag(ctx, flags.receiptFailed(id, messageOf(error)));
    return 0;
  }
}

/**
 * Makes the document of one ledger document: the document, its number and the mark on the ledger's are one commit, so that
 * a crash anywhere leaves no gap and a second call changes nothing. Throws SellerUnknown.
 */
export async function issueReceipt(ctx: Context, ledgerId: string): Promise<void> {
  const number = await ctx.db.runTransaction(async (tx) => {
    const document = (await readEntries(ctx.db, tx, [ledgerId])).get(ledgerId);
    if (document?.receiptId !== null) return undefined;
    const contents = isSale(document) ? await ofSale(ctx, tx, document) : await ofReturn(ctx, tx, document);
    const given = contents && (await write(ctx, tx, contents));
    setReceipt(ctx.db, tx, ledgerId, contents ? receiptIdOf(ledgerId) : 'none');
    return given;
  });
  // Not before: a transaction that met another one's number is run again, with the next.
  if (number !== undefined) logs.receiptIssued(ctx.log, receiptIdOf(ledgerId), number);
}

async function ofSale(ctx: Context, tx: Transaction, document: LedgerDocument): Promise<ReceiptContents> {
  const coachId = sellingCoach(ctx.config.accountingProfile, document);
  const platform = platformOf(ctx);
  const seller = coachId === undefined ? platform : await coachAsSeller(ctx, tx, coachId, document);
  if (!seller.name || !seller.address) throw new SellerUnknown(coachId);
  const date = businessDate(document.occurredAt.toDate());
  const sold = await soldIn(ctx, tx, document);
  return receiptOf(document, sold, { seller, date, ...(coachId === undefined ? {} : { mediator: platform }) });
}

async function soldIn(ctx: Context, tx: Transaction, { id, paymentId, currency }: LedgerDocument): Promise<Sold> {
  const payment = paymentId === undefined ? undefined : await readPayment(ctx.db, paymentId, tx);
  if (!payment) throw new Error(`ledger/${id}: its payment is not there.`);
  const { userId, customerName, description, orderId, amountMinor } = payment;
  const order = orderId === undefined ? undefined : await readOrder(ctx.db, orderId, tx);
  const items = order && payment.currency === currency ? order.items : [];
  return { userId, customerName, description, items, paid: { amountMinor, currency: payment.currency } };
}

async function ofReturn(ctx: Context, tx: Transaction, document: LedgerDocument): Promise<ReceiptContents | undefined> {
  if (creditedMinor(document) === 0) return undefined;
  const earlier = await store.receiptsOf(ctx.db, document.paymentId ?? '', tx);
  const sale = earlier.find(({ receipt }) => receipt.kind === 'receipt');
  if (sale) return creditOf(document, sale, earlier, businessDate(document.occurredAt.toDate()));
  const coachId = sellingCoach(ctx.config.accountingProfile, document);
  const seller = coachId === undefined ? platformOf(ctx) : await coachAsSeller(ctx, tx, coachId, document);
  if (!seller.name || !seller.address) throw new SellerUnknown(coachId);
  throw new Error('The receipt that it credits is not there yet.');
}

const platformOf = ({ config }: Context): Seller => ({
  name: config.platformName,
  address: config.platformAddress,
  vatNumber: config.platformVatNumber || null,
});

/** Registered for VAT is who was when the sale was booked, as in the books. */
async function coachAsSeller(
  ctx: Context,
  tx: Transaction,
  coachId: string,
  { parts }: LedgerDocument,
): Promise<Seller> {
  const coach = await readCoach(ctx, coachId, tx);
  const { name = '', address = '' } = coach?.invoiceDetails ?? {};
  return { coachId, name, address, vatNumber: parts.coachVat ? (coach?.vatNumber ?? null) : null };
}

/** Gives the next number of the seller's year to it, and returns it. */
async function write(ctx: Context, tx: Transaction, contents: ReceiptContents): Promise<string> {
  const now = ctx.clock.now();
  const issuedOn = businessDate(now);
  const seriesId = seriesOf(contents.seller, issuedOn);
  const sequence = (await lastNumber(ctx.db, tx, seriesId)) + 1;
  const number = numberOf(issuedOn, sequence);
  const receipt: Receipt = { ...contents, seriesId, number, issuedOn, createdAt: Timestamp.fromDate(now) };
  store.createReceipt(ctx.db, tx, receiptIdOf(contents.ledgerId), receipt, sequence);
  return number;
}
