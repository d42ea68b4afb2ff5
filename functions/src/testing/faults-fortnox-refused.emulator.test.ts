import { describeFaults } from './faults.ts';

/** What was certainly not posted. */
describeFaults('fortnox', [
  { kind: 'error_500_before' },
  { kind: 'rate_limit' },
  { kind: 'html_error' },
  { kind: 'unauthorized' },
]);
