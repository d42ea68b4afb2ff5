import { z } from 'zod';
import type { AwaitingApproval } from '../../admin/approvals.ts';
import {
  callable,
  documentIdSchema,
  requestIdSchema,
  wordsSchema,
  type CallableSpec,
} from '../../platform/entrance.ts';
import { evidenceTexts } from './evidence.ts';
import { submitDisputeEvidence as submit, type EvidenceInput, type EvidenceReply } from './evidence.service.ts';
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

/** Far below what Stripe takes of one (150,000 characters of all). */
const text = z.string().trim().min(1).max(20_000).optional();

export const submitDisputeEvidence = callable<EvidenceInput, EvidenceReply>({
  name: 'submitDisputeEvidence',
  right: 'admin',
  limit: { perMinute: 20, perDay: 200 },
  input: z.strictObject({
    disputeId: documentIdSchema,
    evidence: z.strictObject(Object.fromEntries(evidenceTexts.map((name) => [name, text]))).optional(),
    submit: z.boolean(),
    requestId: requestIdSchema,
  }),
  handle: submit,
});
