import { z } from 'zod';
import { callable, requestIdSchema } from '../platform/entrance.ts';
import { approvedActions } from './actions.service.ts';
import { approveOperation as approve, rejectOperation as reject, type DecisionInput } from './decisions.service.ts';

const input: z.ZodType<DecisionInput> = z.strictObject({
  approvalId: z.string().regex(/^ap-[0-9a-f]{32}$/, 'must be the approvalId of an answer, ap-…'),
  requestId: requestIdSchema,
});

export const approveOperation = callable({
  name: 'approveOperation',
  right: 'admin',
  input,
  handle: (ctx, caller, decision) => approve(ctx, caller, decision, approvedActions),
});

export const rejectOperation = callable({
  name: 'rejectOperation',
  right: 'admin',
  input,
  handle: reject,
});
