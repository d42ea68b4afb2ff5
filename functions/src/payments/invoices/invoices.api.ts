import { z } from 'zod';
import { callable, requestIdSchema, type CallableSpec } from '../../platform/entrance.ts';
import { sendInvoice as send, type SendInvoiceInput, type SendInvoiceReply } from './invoices.service.ts';

export const sendInvoiceSpec: CallableSpec<SendInvoiceInput, SendInvoiceReply> = {
  name: 'sendInvoice',
  right: 'admin',
  limit: { perMinute: 30, perDay: 500 },
  input: z.strictObject({
    invoiceId: z.string().regex(/^in_[A-Za-z0-9_]{1,100}$/, 'must be a Stripe invoice id, in_…'),
    requestId: requestIdSchema,
  }),
  handle: send,
};

export const sendInvoice = callable(sendInvoiceSpec);
