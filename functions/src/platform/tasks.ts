import { getFunctions } from 'firebase-admin/functions';
import { region } from '../config.ts';
import { messageOf } from './errors.ts';

/** What the run saw when it queued a coach: saves the task reading it again, and is checked by what it commits. */
export interface SeenByRun {
  /** Left out when the coach could not be paid. */
  stripeAccountId?: string;
  /** The run's time, ISO 8601. */
  scheduledAt: string;
  /** When `payoutRuns/{runId}/coaches/{coachId}` was written: its version, `seconds.nanoseconds`. */
  notedAt: string;
}

/** The task queues of the product; each is an exported function of the same name. */
export interface TaskPayloads {
  payCoach: { coachId: string; currency: string; dueDate: string; runId: string; seen?: SeenByRun };
  postVoucher: { voucherId: string };
  /** `run` is the path of the proof's document; `account` Stripe's id, or "platform". */
  reconcileCoach: { run: string; account: string };
}

export type TaskName = keyof TaskPayloads;

export interface Tasks {
  /**
   * Queues one task. `id` names the attempt: a second enqueue under the same id is dropped, and the id stays taken after
   * the task has run. Delivery is at least once, so the function itself is idempotent.
   */
  enqueue<N extends TaskName>(name: N, id: string, payload: TaskPayloads[N]): Promise<void>;
}

/** Cloud Tasks. Queues are addressed with their region; the SDK's default is us-central1. */
export const cloudTasks: Tasks = {
  async enqueue(name, id, payload) {
    const queue = getFunctions().taskQueue(`locations/${region}/functions/${name}`);
    try {
      await queue.enqueue(payload, { id: taskId(id), dispatchDeadlineSeconds: 600 });
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  },
};

/** Cloud Tasks allows letters, digits, hyphens and underscores. */
const taskId = (id: string): string => id.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 400);

const isTaken = (error: unknown): boolean =>
  (error instanceof Error && 'code' in error && error.code === 'functions/task-already-exists') ||
  /already[ -]exists/i.test(messageOf(error));
