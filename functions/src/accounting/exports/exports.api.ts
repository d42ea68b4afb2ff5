import { z } from 'zod';
import { callable, type CallableSpec } from '../../platform/entrance.ts';
import {
  exportSie as makeSie,
  exportTransactions as makeTable,
  type ExportReply,
  type Period,
  type SieReply,
} from './exports.service.ts';

const period = { from: z.iso.date(), to: z.iso.date() };
const requestIdSchema = z.string().regex(/^[A-Za-z0-9-]{8,64}$/);

export const exportSieSpec: CallableSpec<Period & { requestId?: string | undefined }, SieReply> = {
  name: 'exportSie',
  right: 'admin',
  // Reads every voucher of the period.
  limit: { perMinute: 10, perDay: 200 },
  // It changes nothing, so a requestId makes no difference; clients that send one with everything may.
  input: z.strictObject({ ...period, requestId: requestIdSchema.optional() }),
  handle: (ctx, _caller, { from, to }) => makeSie(ctx, { from, to }),
};

export const exportTransactionsSpec: CallableSpec<
  Period & { format: 'csv' | 'xlsx'; requestId?: string | undefined },
  ExportReply
> = {
  name: 'exportTransactions',
  right: 'admin',
  limit: { perMinute: 10, perDay: 200 },
  input: z.strictObject({ ...period, format: z.enum(['csv', 'xlsx']), requestId: requestIdSchema.optional() }),
  handle: (ctx, _caller, { from, to, format }) => makeTable(ctx, { from, to, format }),
};

export const exportSie = callable(exportSieSpec);
export const exportTransactions = callable(exportTransactionsSpec);
