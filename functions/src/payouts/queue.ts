import type { TaskQueueOptions } from 'firebase-functions/tasks';

/**
 * How payCoach's tasks come: at most 20 a second, 20 at once. Each asks Stripe at most twice, once for a balance and once
 * for a payout, so each of the two endpoints hears at most 20 a second (Stripe allows 25) and Stripe at most 40 (it
 * allows 100): what is over is for customers who pay meanwhile. `npm run bench -- payouts` holds it to that.
 */
export const payCoachQueue = {
  timeoutSeconds: 300,
  retryConfig: { maxAttempts: 5, minBackoffSeconds: 10 },
  rateLimits: { maxConcurrentDispatches: 20, maxDispatchesPerSecond: 20 },
} as const satisfies TaskQueueOptions;

/** The run itself, which lists who is due and queues them. */
export const runTimeoutSeconds = 540;
