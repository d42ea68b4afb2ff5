import { z } from 'zod';
import { callable, documentIdSchema, type CallableSpec } from '../../platform/entrance.ts';
import { paymentStatuses } from './history.ts';
import { listPayments as list, type ListPaymentsInput, type ListPaymentsReply } from './history.service.ts';

export const listPaymentsSpec: CallableSpec<ListPaymentsInput, ListPaymentsReply> = {
  name: 'listPayments',
  right: 'anyone signed in',
  input: z.strictObject({
    userId: documentIdSchema.optional(),
    status: z.enum(paymentStatuses).optional(),
    productId: documentIdSchema.optional(),
    from: z.iso.date().optional(),
    to: z.iso.date().optional(),
    cursor: documentIdSchema.optional(),
    limit: z.int().min(1).max(100).optional(),
  }),
  handle: list,
};

export const listPayments = callable(listPaymentsSpec);
