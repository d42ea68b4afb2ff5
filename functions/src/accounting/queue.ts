import type { TaskQueueOptions } from 'firebase-functions/tasks';

/**
 * How postVoucher's tasks come: one at a time, at most two a second. A voucher is one call of Fortnox, and one that was
 * unclear two, so Fortnox hears at most four a second: it allows 25 in 5 s, and has been seen to refuse bursts of more than
 * four a second. Ten thousand vouchers are posted in less than an hour and a half. `npm run bench -- accounting` holds it
 * to that.
 */
export const postVoucherQueue = {
  // Far less than a voucher's lease: a worker cut off here is long dead when another takes over.
  timeoutSeconds: 180,
  // The list of five thousand documents, a PDF, takes some 300 MiB to make.
  memory: '1GiB',
  retryConfig: { maxAttempts: 8, minBackoffSeconds: 10 },
  rateLimits: { maxConcurrentDispatches: 1, maxDispatchesPerSecond: 2 },
} as const satisfies TaskQueueOptions;

/** The night's sync, which makes the vouchers and queues them. */
export const syncTimeoutSeconds = 540;
