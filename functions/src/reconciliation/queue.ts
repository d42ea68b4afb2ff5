import type { TaskQueueOptions } from 'firebase-functions/tasks';

/**
 * How reconcileCoach's tasks come: each lists an account's balance transactions some four times, so five a second ask
 * Stripe's one endpoint at most 20 times a second (it allows 25).
 */
export const reconcileCoachQueue = {
  timeoutSeconds: 540,
  retryConfig: { maxAttempts: 5, minBackoffSeconds: 30 },
  rateLimits: { maxConcurrentDispatches: 10, maxDispatchesPerSecond: 5 },
} as const satisfies TaskQueueOptions;
