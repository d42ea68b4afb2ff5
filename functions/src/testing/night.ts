import { businessDate } from '../platform/clock.ts';
import { reconcileAccount } from '../reconciliation/part.service.ts';
import { startNight } from '../reconciliation/run.service.ts';
import type { PartTask, Reconciliation } from '../reconciliation/run.ts';
import type { TestWorld } from './world.ts';

/** Runs the queue of reconcileCoach empty, each task as its last attempt; other tasks stay. */
export async function proveQueued(world: Pick<TestWorld, 'ctx' | 'tasks'>): Promise<void> {
  for (;;) {
    const at = world.tasks.findIndex(({ name }) => name === 'reconcileCoach');
    const [task] = at < 0 ? [] : world.tasks.splice(at, 1);
    if (!task) return;
    await reconcileAccount(world.ctx, task.payload as PartTask, true);
  }
}

/** A whole night: its start and all of its tasks. */
export async function reconcileDay(world: TestWorld, scheduledAt: Date): Promise<Reconciliation> {
  await startNight(world.ctx, scheduledAt);
  await proveQueued(world);
  const night = await world.ctx.db.doc(`reconciliations/${businessDate(scheduledAt)}`).get();
  return night.data() as Reconciliation;
}
