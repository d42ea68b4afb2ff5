import { describeFaults } from './faults.ts';

describeFaults('stripe', [
  { kind: 'timeout_before', method: 'POST' },
  { kind: 'timeout_after_success', method: 'POST' },
  { kind: 'hang_after_success', method: 'POST', delayMs: 300 },
  { kind: 'error_500_before', method: 'POST' },
  { kind: 'error_500_after', method: 'POST' },
  { kind: 'rate_limit' },
]);
