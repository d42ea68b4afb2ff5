import type { Log } from '../platform/log.ts';
import type { Voucher } from './accounting.ts';

const fields = (voucher: Voucher) => ({ voucherId: voucher.id, attempts: voucher.attempts, date: voucher.date });

export const booksSynced = (log: Log, counts: { grouped: number; queued: number }) =>
  log.info('accounting.synced', { ...counts });

export const documentUnsupported = (log: Log, ledgerId: string, reason: string) =>
  log.error('accounting.document-unsupported', { ledgerId, reason });

export const voucherLeft = (log: Log, voucherId: string, because: string) =>
  log.info('accounting.voucher-left', { voucherId, because });

export const voucherPosted = (log: Log, voucher: Voucher, found: boolean) =>
  log.info('accounting.voucher-posted', { ...fields(voucher), reference: voucher.fortnoxReference ?? '', found });

export const voucherHeld = (log: Log, voucher: Voucher, flagId: string) =>
  log.warn('accounting.voucher-held', { ...fields(voucher), flagId });

export const voucherRejected = (log: Log, voucher: Voucher, error: string) =>
  log.error('accounting.voucher-rejected', { ...fields(voucher), error });

export const voucherUnclear = (log: Log, voucher: Voucher, error: string) =>
  log.error('accounting.voucher-unclear', { ...fields(voucher), error });

export const voucherPutBack = (log: Log, voucher: Voucher, error: string) =>
  log.warn('accounting.voucher-put-back', { ...fields(voucher), error });

export const listAttached = (log: Log, voucher: Voucher) =>
  log.info('accounting.list-attached', { ...fields(voucher), reference: voucher.fortnoxReference ?? '' });

export const voucherRedated = (log: Log, voucher: Voucher, from: string) =>
  log.warn('accounting.voucher-redated', { ...fields(voucher), from });

export const voucherCorrected = (
  log: Log,
  {
    voucherId,
    reversingVoucherId,
    newVoucherId,
  }: Record<'voucherId' | 'reversingVoucherId', string> & { newVoucherId: string | null },
) => log.info('accounting.voucher-corrected', { voucherId, reversingVoucherId, newVoucherId: newVoucherId ?? 'none' });

export const vouchersResolved = (log: Log, queued: number, late: number) =>
  log.info('accounting.vouchers-resolved', { queued, late });
