import type { Log } from '../../platform/log.ts';
import type { AskMode, RefundWay } from './orders.ts';
import type { Refund } from './refunds.ts';

/** Every log line of this room. */
export const planned = (log: Log, refundId: string, paymentId: string, amountMinor: number, way: RefundWay) =>
  log.info('refund.planned', { refundId, paymentId, amountMinor, way });
export const asking = (log: Log, refundId: string, way: RefundWay, mode: AskMode) =>
  log.info('refund.asking', { refundId, way, mode });
export const changed = (log: Log, { refundId, stripeRefundId, status }: Refund) =>
  log.info('refund.changed', { refundId, stripeRefundId: stripeRefundId ?? '', status });
export const withoutReversal = (log: Log, refundId: string, code: string) =>
  log.warn('refund.without-reversal', { refundId, code });
export const refused = (log: Log, refundId: string, code: string, message: string) =>
  log.error('refund.refused', { refundId, code, message });
export const unclear = (log: Log, refundId: string, code: string, message: string) =>
  log.warn('refund.unclear', { refundId, code, message });
export const busy = (log: Log, refundId: string, code: string) => log.warn('refund.busy', { refundId, code });
export const bookedLater = (log: Log, refundId: string, error: string) =>
  log.warn('refund.booked-later', { refundId, error });
export const checkFailed = (log: Log, refundId: string, error: string) =>
  log.warn('refund.check-failed', { refundId, error });
