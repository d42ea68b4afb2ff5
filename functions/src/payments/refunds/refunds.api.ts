import { z } from 'zod';
import type { AwaitingApproval } from '../../admin/approvals.ts';
import {
  callable,
  documentIdSchema,
  requestIdSchema,
  wordsSchema,
  type CallableSpec,
} from '../../platform/entrance.ts';
import { refundPayment as refund, type RefundInput, type RefundReply } from './refunds.service.ts';

/** Stripe keeps a metadata value of at most 500 characters. */
const longestReason = 300;

export const refundPaymentSpec: CallableSpec<RefundInput & { requestId: string }, RefundReply | AwaitingApproval> = {
  name: 'refundPayment',
  right: 'coach or admin',
  limit: { perMinute: 60, perDay: 1_000 },
  input: z.strictObject({
    paymentId: documentIdSchema,
    amountMinor: z.int().optional(),
    reason: wordsSchema(longestReason).optional(),
    requestId: requestIdSchema,
  }),
  handle: refund,
};

export const refundPayment = callable(refundPaymentSpec);
