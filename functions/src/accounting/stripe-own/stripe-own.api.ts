import { z } from 'zod';
import { callable, requestIdSchema, wordsSchema, type CallableSpec } from '../../platform/entrance.ts';
import { explainTransaction as explain, type ExplainInput, type ExplainReply } from './explain.service.ts';

export const explainTransactionSpec: CallableSpec<ExplainInput, ExplainReply> = {
  name: 'explainTransaction',
  right: 'admin',
  limit: { perMinute: 60, perDay: 1_000 },
  input: z.strictObject({
    balanceTransactionId: z.string().regex(/^txn_[A-Za-z0-9_]{1,100}$/),
    stripeAccountId: z
      .string()
      .regex(/^acct_[A-Za-z0-9]{1,100}$/)
      .optional(),
    as: z.enum(['fee', 'reserve', 'topup', 'loss', 'coach']),
    reason: wordsSchema(500),
    requestId: requestIdSchema,
  }),
  handle: explain,
};

export const explainTransaction = callable(explainTransactionSpec);
