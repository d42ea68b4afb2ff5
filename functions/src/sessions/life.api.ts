import { z } from 'zod';
import { callable, documentIdSchema, requestIdSchema, wordsSchema, type CallableSpec } from '../platform/entrance.ts';
import {
  cancelSession as cancel,
  completeSession as complete,
  type CancelInput,
  type CancelReply,
  type CompleteInput,
  type CompleteReply,
} from './life.service.ts';
import { rescheduleSession as reschedule, type RescheduleInput, type RescheduleReply } from './move.service.ts';
import { addSessionNote as addNote, type NoteInput, type NoteReply } from './notes.service.ts';

/** Stripe keeps it with the refund, in a value of at most 500 characters. */
const longestReason = 300;
const longestNote = 4_000;

/** Several lines, without hidden characters and marks that reverse text. */
const noteSchema = z
  .string()
  .regex(/^([^\p{Cc}\p{Cf}\p{Cs}]|[\n\t])*$/u, 'must be without hidden characters')
  .trim()
  .min(1)
  .max(longestNote);

export const completeSessionSpec: CallableSpec<CompleteInput, CompleteReply> = {
  name: 'completeSession',
  right: 'coach or admin',
  limit: { perMinute: 60, perDay: 1_000 },
  input: z.strictObject({
    sessionId: documentIdSchema,
    outcome: z.enum(['completed', 'no_show']).optional(),
    requestId: requestIdSchema.optional(),
  }),
  handle: (ctx, caller, input) => complete(ctx, caller, input),
};

export const cancelSessionSpec: CallableSpec<CancelInput, CancelReply> = {
  name: 'cancelSession',
  right: 'anyone signed in',
  limit: { perMinute: 20, perDay: 200 },
  input: z.strictObject({
    sessionId: documentIdSchema,
    reason: wordsSchema(longestReason).optional(),
    requestId: requestIdSchema,
  }),
  handle: (ctx, caller, input) => cancel(ctx, caller, input),
};

export const rescheduleSessionSpec: CallableSpec<RescheduleInput, RescheduleReply> = {
  name: 'rescheduleSession',
  right: 'anyone signed in',
  limit: { perMinute: 20, perDay: 200 },
  input: z.strictObject({
    sessionId: documentIdSchema,
    startsAt: z.iso.datetime({ offset: true }),
    requestId: requestIdSchema,
  }),
  handle: (ctx, caller, input) => reschedule(ctx, caller, input),
};

export const addSessionNoteSpec: CallableSpec<NoteInput, NoteReply> = {
  name: 'addSessionNote',
  right: 'coach',
  limit: { perMinute: 30, perDay: 500 },
  input: z.strictObject({ sessionId: documentIdSchema, text: noteSchema, requestId: requestIdSchema }),
  handle: (ctx, caller, input) => addNote(ctx, caller, input),
};

export const completeSession = callable(completeSessionSpec);
export const cancelSession = callable(cancelSessionSpec);
export const rescheduleSession = callable(rescheduleSessionSpec);
export const addSessionNote = callable(addSessionNoteSpec);
