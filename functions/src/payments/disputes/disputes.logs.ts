import type { Log } from '../../platform/log.ts';
import type { Dispute } from './disputes.ts';

export function disputeMoved(log: Log, id: string, { paymentId, status, stage, lostMinor }: Dispute): void {
  log.info('dispute.moved', { id, paymentId, status, stage, lostMinor });
}
