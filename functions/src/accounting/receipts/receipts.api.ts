import { z } from 'zod';
import { callable, documentIdSchema, type CallableSpec } from '../../platform/entrance.ts';
import { getReceipt as get, type ReceiptInput, type ReceiptReply } from './reads.service.ts';

export const getReceiptSpec: CallableSpec<ReceiptInput, ReceiptReply> = {
  name: 'getReceipt',
  right: 'anyone signed in',
  limit: { perMinute: 30, perDay: 500 },
  input: z.strictObject({
    paymentId: documentIdSchema.optional(),
    receiptId: documentIdSchema.optional(),
    locale: z.enum(['sv', 'en']),
  }),
  handle: get,
};

export const getReceipt = callable(getReceiptSpec);
