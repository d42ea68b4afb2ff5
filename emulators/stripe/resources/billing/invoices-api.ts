/** Invoices as the API has them, and their payments. */
import type Stripe from 'stripe';
import { badParam, missing, refused } from '../../core/errors.ts';
import { emit, emitChange } from '../../core/events.ts';
import { Collection } from '../../core/collection.ts';
import { inRange, page } from '../../core/list.ts';
import { mergeMetadata } from '../../core/params.ts';
import type { ExpandOnly } from '../../core/params.ts';
import type { Invoice, InvoiceLine } from '../../core/wire.ts';
import type { Book, World } from '../../core/world.ts';
import { customerNamed } from '../lookup.ts';
import { requireSek } from '../money.ts';
import { advance } from './cycle.ts';
import { askedDiscounts, redeem, redeemable } from './discounts.ts';
import {
  collect,
  finalizeInvoice,
  giveUpPayment,
  markUncollectible,
  requireOpen,
  storeDraft,
  subscriptionIdOf,
  takePending,
  tellDraft,
  voidInvoice,
} from './invoice-life.ts';
import { markPaid } from './invoice-paid.ts';
import { requireDestination } from './sharing.ts';
import { requireCollection, requireMethod, subscriptionNamed } from './subscriptions.ts';
import { nowOf } from './time.ts';

const DAY = 86_400;

export function invoiceNamed(book: Book, id: string): Invoice {
  const invoice = book.invoices.get(id);
  if (!invoice) throw missing('invoice', id, 'invoice', 404);
  return invoice;
}

export const retrieveInvoice = (_: World, book: Book, __: ExpandOnly, [id = '']: string[]) => invoiceNamed(book, id);

export const listInvoices = (_: World, book: Book, params: Stripe.InvoiceListParams) =>
  page(
    book.invoices,
    '/v1/invoices',
    params,
    (invoice) =>
      inRange(invoice.created, params.created) &&
      (params.customer === undefined || invoice.customer === params.customer) &&
      (params.status === undefined || invoice.status === params.status) &&
      (params.collection_method === undefined || invoice.collection_method === params.collection_method) &&
      (params.subscription === undefined || subscriptionIdOf(invoice) === params.subscription),
  );

export function listLines(_: World, book: Book, params: Stripe.InvoiceListLineItemsParams, [id = '']: string[]) {
  const all = new Collection<InvoiceLine>(new Map());
  for (const line of [...invoiceNamed(book, id).lines.data].reverse()) all.add(line);
  return page(all, `/v1/invoices/${id}/lines`, params);
}

export function createInvoice(world: World, book: Book, params: Stripe.InvoiceCreateParams): Invoice {
  const customer = customerNamed(book, params.customer ?? '');
  if (params.currency !== undefined) requireSek(params.currency);
  const collection = params.collection_method ?? 'charge_automatically';
  const now = nowOf(world, customer);
  if (params.due_date === undefined) requireCollection(collection, params.days_until_due);
  else if (collection !== 'send_invoice' || params.due_date <= now)
    throw badParam('due_date', 'due_date goes with collection_method = send_invoice, and lies in the future.');
  requireMethod(book, customer, params.default_payment_method);
  const subscription =
    params.subscription === undefined ? null : subscriptionNamed(book, params.subscription, 'subscription', 400);
  requireInvoiceShare(world, params);
  const asked = (askedDiscounts(params.discounts) ?? []).map((each, i) =>
    redeemable(world, book, each, customer.id, `discounts[${i}]`),
  );
  const takes = subscription !== null || params.pending_invoice_items_behavior === 'include';
  const lines = takes ? takePending(book, customer.id, subscription?.id ?? null) : [];
  const autoAdvance = params.auto_advance === true;
  const days = params.days_until_due;
  const id = world.ids.next('in');
  const invoice = storeDraft(world, book, {
    id,
    customer,
    subscription,
    reason: 'manual',
    lines,
    period: { start: now, end: now },
    discounts: asked.map((each) => redeem(world, book, each, { customer, invoice: id }).id),
    autoAdvance,
    finalizesAt: autoAdvance ? now + 3_600 : null,
    collection,
    dueAt: params.due_date ?? (days === undefined ? null : now + days * DAY),
    method: params.default_payment_method ?? null,
    description: params.description ?? null,
    footer: params.footer ?? null,
    metadata: mergeMetadata({}, params.metadata),
  });
  keepShare(book, invoice.id, params);
  tellDraft(world, book, invoice);
  return invoice;
}

type Shared = Pick<Stripe.InvoiceUpdateParams, 'transfer_data' | 'application_fee_amount'>;

function requireInvoiceShare(world: World, { transfer_data: transfer, application_fee_amount: fee }: Shared): void {
  if (fee !== undefined && !transfer)
    throw badParam(
      'application_fee_amount',
      'You can only apply an application_fee_amount with transfer_data[destination].',
    );
  if (!transfer) return;
  if (fee !== undefined && transfer.amount !== undefined)
    throw badParam(
      'application_fee_amount',
      'You cannot pass both `application_fee_amount` and `transfer_data[amount]`.',
    );
  requireDestination(world, transfer.destination, 'transfer_data[destination]');
}

function keepShare(book: Book, id: string, { transfer_data: transfer, application_fee_amount: fee }: Shared): void {
  if (transfer === undefined) return;
  if (!transfer) {
    book.billing.sharing.delete(id);
    return;
  }
  book.billing.sharing.set(id, {
    destination: transfer.destination,
    ...(transfer.amount === undefined ? {} : { amount: transfer.amount }),
    ...(fee === undefined ? {} : { fee }),
  });
}

export function updateInvoice(
  world: World,
  book: Book,
  params: Stripe.InvoiceUpdateParams,
  [id = '']: string[],
): Invoice {
  const before = invoiceNamed(book, id);
  const always = ['metadata', 'auto_advance', 'expand'];
  const fixed = Object.keys(params).filter((name) => !always.includes(name));
  if (before.status !== 'draft' && fixed.length > 0)
    throw refused("Finalized invoices can't be updated in this way.", 'invoice_not_editable', fixed[0]);
  const customer = customerNamed(book, before.customer as string);
  requireMethod(book, customer, params.default_payment_method);
  requireInvoiceShare(world, params);
  if (params.days_until_due !== undefined) requireCollection(before.collection_method, params.days_until_due);
  keepShare(book, id, params);
  const after = book.invoices.put({
    ...before,
    auto_advance: params.auto_advance ?? before.auto_advance,
    default_payment_method: params.default_payment_method ?? before.default_payment_method,
    description: params.description ?? before.description,
    footer: params.footer ?? before.footer,
    due_date: params.days_until_due === undefined ? before.due_date : before.created + params.days_until_due * DAY,
    metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
  });
  emitChange(world, book, 'invoice.updated', before, after);
  return after;
}

export function deleteInvoice(world: World, book: Book, _: object, [id = '']: string[]) {
  const invoice = invoiceNamed(book, id);
  if (invoice.status !== 'draft' || subscriptionIdOf(invoice) !== undefined)
    throw refused(
      'You can only delete draft invoices that do not come from a subscription. Void it instead.',
      'invoice_not_editable',
    );
  for (const item of book.billing.invoiceItems.values())
    if (item.invoice === id) book.billing.invoiceItems.update(item.id, { invoice: null });
  book.invoices.delete(id);
  emit(world, book, 'invoice.deleted', invoice);
  return { id, object: 'invoice', deleted: true } satisfies Stripe.DeletedInvoice;
}

export function finalize(
  world: World,
  book: Book,
  params: Stripe.InvoiceFinalizeInvoiceParams,
  [id = '']: string[],
): Invoice {
  const before = invoiceNamed(book, id);
  if (params.auto_advance !== undefined && before.status === 'draft')
    book.invoices.update(id, { auto_advance: params.auto_advance });
  const open = finalizeInvoice(world, book, id);
  return advance(world, book, open);
}

export function payInvoice(world: World, book: Book, params: Stripe.InvoicePayParams, [id = '']: string[]): Invoice {
  const before = invoiceNamed(book, id);
  if (before.status === 'draft') finalizeInvoice(world, book, id);
  const open = invoiceNamed(book, id);
  if (open.status === 'paid' && before.status === 'draft') return open;
  requireOpen(open, 'pay an invoice', ['uncollectible']);
  if (params.paid_out_of_band === true) {
    giveUpPayment(world, book, open, nowOf(world, open));
    return markPaid(world, book, open, null);
  }
  return collect(world, book, open, {
    method: params.payment_method,
    automatic: false,
    offSession: params.off_session ?? true,
  });
}

export function voidOpen(world: World, book: Book, _: ExpandOnly, [id = '']: string[]): Invoice {
  const invoice = invoiceNamed(book, id);
  requireOpen(invoice, 'void an invoice', ['uncollectible']);
  return voidInvoice(world, book, invoice);
}

export function uncollectible(world: World, book: Book, _: ExpandOnly, [id = '']: string[]): Invoice {
  const invoice = invoiceNamed(book, id);
  requireOpen(invoice, 'mark an invoice as uncollectible');
  return markUncollectible(world, book, invoice);
}

/** Nothing is mailed: `invoice.sent` says that it would have been. */
export function sendInvoice(world: World, book: Book, _: ExpandOnly, [id = '']: string[]): Invoice {
  const before = invoiceNamed(book, id);
  if (before.collection_method !== 'send_invoice')
    throw refused('You can only manually send an invoice if its collection method is send_invoice.');
  const invoice = before.status === 'draft' ? finalizeInvoice(world, book, id) : before;
  if (invoice.status !== 'paid') requireOpen(invoice, 'send an invoice');
  emit(world, book, 'invoice.sent', invoice);
  return invoice;
}

export const listInvoicePayments = (_: World, book: Book, params: Stripe.InvoicePaymentListParams) =>
  page(
    book.invoicePayments,
    '/v1/invoice_payments',
    params,
    (payment) =>
      (params.status === undefined || payment.status === params.status) &&
      inRange(payment.created, params.created) &&
      (params.payment === undefined || payment.payment.payment_intent === params.payment.payment_intent),
    params.invoice,
  );

export function retrieveInvoicePayment(_: World, book: Book, __: ExpandOnly, [id = '']: string[]) {
  const payment = book.invoicePayments.get(id);
  if (!payment) throw missing('invoice_payment', id, 'id', 404);
  return payment;
}
