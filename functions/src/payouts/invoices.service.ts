import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { raiseFlag } from '../admin/flags.service.ts';
import { readCoach } from '../coaches/coaches.service.ts';
import { earningsOfItems } from '../coaches/earnings-report.service.ts';
import { entriesById } from '../ledger/ledger.service.ts';
import { businessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { messageOf } from '../platform/errors.ts';
import { lastNumber } from '../platform/number-series.ts';
import {
  creditOf,
  invoiceContents,
  numberOf,
  seriesOf,
  type InvoiceContents,
  type InvoicedItem,
  type PayoutInvoice,
} from './invoices.ts';
import * as store from './invoices.store.ts';
import * as flags from './payout-flags.ts';
import * as logs from './payouts.logs.ts';
import * as pages from './pages.store.ts';
import * as payouts from './payouts.store.ts';
import type { Payout } from './payouts.ts';

/** One sweep's share; the rest waits five minutes. */
const sweepLimit = 100;
/** More than a payout can be made of. */
const itemsLimit = 800;

/** For the sweep: writes the invoices and credit notes that payouts wait for. One that fails holds up no other. */
export async function issueInvoices(ctx: Context): Promise<{ issued: number }> {
  let issued = 0;
  for (const payoutId of await store.payoutsToInvoice(ctx.db, sweepLimit)) {
    try {
      await issueInvoice(ctx, payoutId);
      issued++;
    } catch (error) {
      logs.invoiceFailed(ctx.log, payoutId, messageOf(error));
      await raiseFlag(ctx, flags.invoiceFailed(payoutId, messageOf(error)));
    }
  }
  return { issued };
}

/** Writes what one payout waits for. Safe to call any number of times, at once: the number is given with the document. */
export async function issueInvoice(ctx: Context, payoutId: string): Promise<void> {
  const before = await payouts.readPayout(ctx.db, payoutId);
  // What a payout is made of and what was sold never change, so they are read before the transaction.
  const items = before?.invoiceState === 'due' ? await invoicedItems(ctx, payoutId, before) : [];
  await ctx.db.runTransaction(async (tx) => {
    const payout = await payouts.readPayout(ctx.db, payoutId, tx);
    if (payout?.invoiceState === 'due') await issueFirst(ctx, tx, payoutId, payout, items);
    else if (payout?.invoiceState === 'credit_due') await issueCredit(ctx, tx, payoutId, payout);
  });
}

async function invoicedItems(ctx: Context, payoutId: string, payout: Payout): Promise<InvoicedItem[]> {
  const items = await pages.itemsOf(ctx.db, payoutId, itemsLimit);
  const ledgerIds = [...items.keys()];
  const [earnings, sales] = await Promise.all([
    earningsOfItems(ctx, payout.coachId, ledgerIds),
    entriesById(ctx.db, ledgerIds),
  ]);
  const sold = new Map(sales.map((document) => [document.id, document]));
  return [...items].map(([ledgerId, item]) => {
    const [earning, sale] = [earnings.get(ledgerId), sold.get(ledgerId)];
    if (!earning || !sale) throw new Error(`payouts/${payoutId}: the sale of item ${ledgerId} is not there.`);
    return { item, earning, vatRate: sale.parts.vatRate, isSale: sale.kind !== 'adjustment' };
  });
}

async function issueFirst(
  ctx: Context,
  tx: Transaction,
  payoutId: string,
  payout: Payout,
  items: readonly InvoicedItem[],
): Promise<void> {
  const { coachId, currency, invoicing: kind } = payout;
  const coach = await readCoach(ctx, coachId, tx);
  if (!coach || !kind || items.length === 0) throw new Error(`payouts/${payoutId} lost what its invoice is made of.`);
  const contents = invoiceContents({ payoutId, coachId, coach, config: ctx.config, kind, currency, items });
  await write(ctx, tx, payoutId, contents);
  payouts.writePayout(ctx.db, tx, payoutId, { ...payout, invoiceState: 'issued' });
}

async function issueCredit(ctx: Context, tx: Transaction, payoutId: string, payout: Payout): Promise<void> {
  const invoice = await store.readInvoice(ctx.db, payoutId, tx);
  if (!invoice) throw new Error(`payouts/${payoutId} has no invoice to take back.`);
  await write(ctx, tx, store.creditId(payoutId), creditOf(invoice));
  payouts.writePayout(ctx.db, tx, payoutId, { ...payout, invoiceState: 'credited' });
}

/** Gives the next number of the series to it. */
async function write(
  ctx: Context,
  tx: Transaction,
  id: string,
  contents: InvoiceContents & { credits?: string },
): Promise<void> {
  const now = ctx.clock.now();
  const issuedOn = businessDate(now);
  const seriesId = seriesOf(contents.kind, contents.coachId, issuedOn);
  const sequence = (await lastNumber(ctx.db, tx, seriesId)) + 1;
  const number = numberOf(contents.kind, issuedOn, sequence);
  const invoice: PayoutInvoice = { ...contents, seriesId, number, issuedOn, createdAt: Timestamp.fromDate(now) };
  store.createInvoice(ctx.db, tx, id, invoice, sequence);
  logs.invoiceIssued(ctx.log, id, number);
}
