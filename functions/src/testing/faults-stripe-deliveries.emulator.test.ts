import { describeFaults } from './faults.ts';

describeFaults('stripe', [
  { kind: 'drop_delivery' },
  { kind: 'duplicate_delivery' },
  { kind: 'delay_delivery', delayMs: 200 },
  { kind: 'shuffle_deliveries' },
]);
