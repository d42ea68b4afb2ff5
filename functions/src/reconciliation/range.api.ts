import { z } from 'zod';
import { callable, requestIdSchema, type CallableSpec } from '../platform/entrance.ts';
import { runReconciliation as runRange, type RangeInput, type RangeReply } from './range.service.ts';

export const runReconciliationSpec: CallableSpec<RangeInput, RangeReply> = {
  name: 'runReconciliation',
  right: 'admin',
  // Reads every account and Fortnox's books.
  limit: { perMinute: 5, perDay: 50 },
  input: z.strictObject({ from: z.iso.date(), to: z.iso.date(), requestId: requestIdSchema }),
  handle: runRange,
};

export const runReconciliation = callable(runReconciliationSpec);
