import { z } from 'zod';
import { callable, documentIdSchema, type CallableSpec } from '../platform/entrance.ts';
import { countSessions } from '../sessions/figures.service.ts';
import {
  coachEarnings,
  listPayouts as list,
  payoutInvoice,
  payoutStatement,
  type DocumentReply,
  type EarningsInput,
  type InvoiceInput,
  type PayoutsInput,
  type PayoutsReply,
  type StatementInput,
} from './reports.service.ts';
import type { EarningsReply } from './reports.ts';

/** A coach's id, a currency, a day or a requestId, a number. */
export const payoutIdSchema = z.string().regex(/^(?!__.*__$)[A-Za-z0-9_-]{1,400}$/, 'must be a payout’s id');

export const getCoachEarningsSpec: CallableSpec<EarningsInput, EarningsReply> = {
  name: 'getCoachEarnings',
  right: 'coach or admin',
  // Some thirty sums over the coach's sales.
  limit: { perMinute: 30, perDay: 1_000 },
  input: z.strictObject({
    coachId: documentIdSchema.optional(),
    weeksBefore: z.iso.date().optional(),
    monthsBefore: z.iso.date().optional(),
  }),
  handle: (ctx, caller, input) => coachEarnings(ctx, caller, input, countSessions),
};

export const listPayoutsSpec: CallableSpec<PayoutsInput, PayoutsReply> = {
  name: 'listPayouts',
  right: 'coach or admin',
  input: z.strictObject({
    coachId: documentIdSchema.optional(),
    cursor: payoutIdSchema.optional(),
    limit: z.number().int().min(1).max(50).optional(),
  }),
  handle: list,
};

export const getPayoutStatementSpec: CallableSpec<StatementInput, DocumentReply> = {
  name: 'getPayoutStatement',
  right: 'coach or admin',
  limit: { perMinute: 30, perDay: 500 },
  input: z.strictObject({
    payoutId: payoutIdSchema,
    format: z.enum(['pdf', 'csv']),
    language: z.enum(['sv', 'en']),
  }),
  handle: payoutStatement,
};

export const getPayoutInvoiceSpec: CallableSpec<InvoiceInput, DocumentReply> = {
  name: 'getPayoutInvoice',
  right: 'coach or admin',
  limit: { perMinute: 30, perDay: 500 },
  input: z.strictObject({
    payoutId: payoutIdSchema,
    language: z.enum(['sv', 'en']),
    credit: z.boolean().optional(),
  }),
  handle: payoutInvoice,
};

export const getCoachEarnings = callable(getCoachEarningsSpec);
export const listPayouts = callable(listPayoutsSpec);
export const getPayoutStatement = callable(getPayoutStatementSpec);
export const getPayoutInvoice = callable(getPayoutInvoiceSpec);
