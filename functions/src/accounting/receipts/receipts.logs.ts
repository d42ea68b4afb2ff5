import type { Log } from '../../platform/log.ts';

export const receiptIssued = (log: Log, receiptId: string, number: string) =>
  log.info('receipt.issued', { receiptId, number });
export const receiptFailed = (log: Log, ledgerId: string, message: string) =>
  log.error('receipt.failed', { ledgerId, message });
export const sellerUnknown = (log: Log, seller: string, waiting: number) =>
  log.warn('receipt.seller-unknown', { seller, waiting });
