import { describeFaults } from './faults.ts';

/** What may have been posted, and is looked for before it is posted again. */
describeFaults('fortnox', [
  { kind: 'commit_then_drop', method: 'POST' },
  { kind: 'error_500_after' },
  { kind: 'timeout_before', delayMs: 100 },
]);
