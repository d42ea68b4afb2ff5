import { describeFaults } from './faults.ts';

describeFaults('fortnox', [
  { kind: 'commit_then_drop', method: 'POST' },
  { kind: 'timeout_before', delayMs: 100 },
  { kind: 'error_500_before' },
  { kind: 'error_500_after' },
  { kind: 'rate_limit' },
  { kind: 'html_error' },
  { kind: 'unauthorized' },
]);
