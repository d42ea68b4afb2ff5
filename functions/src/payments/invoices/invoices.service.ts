import type { Transaction } from 'firebase-admin/firestore';
import { planAudit } from '../../admin/audit.service.ts';
import type { Caller } from '../../platform/auth.ts';
import { runCommand } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { planLetter } from '../../platform/mail.ts';
import { classifyStripeError, keyStillKept } from '../../platform/stripe.ts';
import { runWrites } from '../../platform/write.ts';
import { expired, refusalOf, type IntentCommand } from '../intents.service.ts';
import { invoiceLetter, type Invoice } from './invoices.ts';
import { invoicePath, readInvoice } from './invoices.store.ts';

export interface SendInvoiceInput {
  invoiceId: string;
  requestId: string;
}

export interface SendInvoiceReply {
  invoiceId: string;
  /** `letter`: an invoice that Stripe charges by itself it does not mail; the customer gets a letter with its page. */
  sentBy: 'stripe' | 'letter';
}

export interface SendInvoicePlan extends SendInvoiceReply {
  stripeAccountId?: string;
}

export const sendInvoiceCommand = 'sendInvoice';

/** An administrator has a final invoice sent to its customer, once per requestId. */
export function sendInvoice(
  ctx: Context,
  caller: Caller,
  { invoiceId, requestId }: SendInvoiceInput,
): Promise<SendInvoiceReply> {
  const { uid } = caller;
  return runCommand<SendInvoicePlan, SendInvoiceReply>(ctx, {
    command: sendInvoiceCommand,
    uid,
    requestId,
    input: { invoiceId },
    plan: (tx) => planSend(ctx, tx, uid, { invoiceId, requestId }),
    execute: (plan, startedAt) => executeSend(ctx, { uid, requestId, startedAt }, plan),
  });
}

async function planSend(
  ctx: Context,
  tx: Transaction,
  uid: string,
  { invoiceId, requestId }: SendInvoiceInput,
): Promise<SendInvoicePlan> {
  const invoice = requireFinal(invoiceId, await readInvoice(ctx.db, invoiceId, tx));
  const sentBy = invoice.collectionMethod === 'send_invoice' ? 'stripe' : 'letter';
  const id = `${sendInvoiceCommand}_${uid}_${requestId}`;
  const after = { sentBy };
  const audit = planAudit(ctx, id, { by: uid, action: sendInvoiceCommand, subject: invoicePath(invoiceId), after });
  runWrites(tx, sentBy === 'letter' ? [audit, planLetter(ctx.db, id, letterOf(invoiceId, invoice))] : [audit]);
  const { stripeAccountId } = invoice;
  return { invoiceId, sentBy, ...(stripeAccountId ? { stripeAccountId } : {}) };
}

function requireFinal(id: string, invoice: Invoice | undefined): Invoice {
  if (!invoice) throw new Refusal('not-found', 'invoice-not-found', `There is no invoice ${id}.`);
  if (invoice.status === 'open' || invoice.status === 'paid') return invoice;
  throw new Refusal(
    'failed-precondition',
    'invoice-not-sendable',
    `Invoice ${id} is ${invoice.status}; only an open or a paid one is sent.`,
    { status: invoice.status },
  );
}

function letterOf(id: string, invoice: Invoice) {
  const { userId, hostedUrl } = invoice;
  if (userId !== null && hostedUrl !== undefined) return invoiceLetter({ ...invoice, userId, hostedUrl });
  throw new Refusal(
    'failed-precondition',
    'invoice-without-customer',
    `Invoice ${id} belongs to no customer of ours. Send it from the Stripe dashboard.`,
  );
}

/** Also for the sweep, after a crash. A mail that may have been sent is not sent again when Stripe has forgotten the key. */
export async function executeSend(
  ctx: Context,
  { uid, requestId, startedAt }: IntentCommand,
  { stripeAccountId, ...reply }: SendInvoicePlan,
): Promise<SendInvoiceReply> {
  if (reply.sentBy === 'letter') return reply;
  if (!keyStillKept(startedAt, ctx.clock.now())) {
    const sentAt = (await readInvoice(ctx.db, reply.invoiceId))?.sentAt?.toMillis() ?? 0;
    // Stripe tells whole seconds.
    return sentAt >= Math.floor(startedAt.getTime() / 1000) * 1000 ? reply : expired(requestId);
  }
  const stripe = await ctx.stripe();
  const key = { idempotencyKey: `invoice-send:${uid}:${requestId}` };
  await stripe.invoices
    .sendInvoice(reply.invoiceId, {}, stripeAccountId ? { ...key, stripeAccount: stripeAccountId } : key)
    .catch((error: unknown) => {
      throw refusalOf(classifyStripeError(error));
    });
  return reply;
}
