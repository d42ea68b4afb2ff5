import { z } from 'zod';
import type { AwaitingApproval } from '../../admin/approvals.ts';
import {
  callable,
  documentIdSchema,
  requestIdSchema,
  wordsSchema,
  type CallableSpec,
} from '../../platform/entrance.ts';
import { writeOffDebt as write, type WriteOffInput, type WriteOffReply } from './write-off.service.ts';

export const writeOffDebtSpec: CallableSpec<WriteOffInput & { requestId: string }, WriteOffReply | AwaitingApproval> = {
  name: 'writeOffDebt',
  right: 'admin',
  input: z.strictObject({
    coachId: documentIdSchema,
    amountMinor: z.int().min(1).optional(),
    paymentId: documentIdSchema.optional(),
    reason: wordsSchema(500),
    requestId: requestIdSchema,
  }),
  handle: write,
};

export const writeOffDebt = callable(writeOffDebtSpec);
