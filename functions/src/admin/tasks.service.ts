import { HttpsError } from 'firebase-functions/https';
import type { z } from 'zod';
import type { Context } from '../platform/context.ts';
import { raiseFlag } from './flags.service.ts';

/** One delivery of a task, as Cloud Tasks brings it. */
export interface Delivery {
  queue: string;
  id: string;
  data: unknown;
  /** The queue does not try again after this one. */
  last: boolean;
}

/**
 * A task's input by its schema. Cloud Tasks repeats whatever is not answered 2xx, a payload that can never be read, too,
 * so the queue's maxAttempts ends it, and the last attempt leaves a flag. Throws HttpsError `invalid-argument`.
 */
export async function taskInput<I>(ctx: Context, schema: z.ZodType<I>, delivery: Delivery): Promise<I> {
  const parsed = schema.safeParse(delivery.data);
  if (parsed.success) return parsed.data;
  const { queue, id, last } = delivery;
  const field = parsed.error.issues[0]?.path.join('.') ?? '';
  ctx.log.error('task.refused', { queue, id, field, last });
  if (last) {
    await raiseFlag(ctx, {
      id: `task-unreadable_${queue}_${id.replace(/[^A-Za-z0-9_-]/g, '-').slice(-200)}`,
      kind: 'task-unreadable',
      severity: 'critical',
      subject: `queues/${queue}`,
      message: `A task of ${queue} holds something that the function cannot read (${field || 'the whole of it'}); it was given up.`,
      action:
        'A deploy may have changed what tasks hold. What the task was for is queued again by its schedule; see that the next run is clean.',
    });
  }
  throw new HttpsError('invalid-argument', 'The task holds something that this function cannot read.', {
    reason: 'invalid-task',
    field,
  });
}
