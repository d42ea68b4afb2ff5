import { minutes } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';

/** A task lives nine minutes. One cut off by that would be begun again, and what it found never be told. */
const longestMs = minutes(6);

/** There is more to compare than one task can. */
export class TooLong extends Error {
  constructor() {
    super(
      'Comparing it with Stripe takes longer than a task may live. Mend what earlier nights found, so that fewer days are looked at; by hand, ask for later or fewer days.',
    );
    this.name = 'TooLong';
  }
}

/** To be asked again and again from now on: throws TooLong once it has lasted too long. */
export function patience(ctx: Context): () => void {
  const until = ctx.clock.now().getTime() + longestMs;
  return () => {
    if (ctx.clock.now().getTime() > until) throw new TooLong();
  };
}

/** What another attempt comes to; where there is no time for it, what the one before came to. */
export async function orAsBefore<T>(before: T, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof TooLong) return before;
    throw error;
  }
}
