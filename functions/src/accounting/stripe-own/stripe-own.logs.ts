import type { Log } from '../../platform/log.ts';

export const booked = (log: Log, balanceTransactionId: string, type: string, ledgerIds: readonly string[]) =>
  log.info('stripe-own.booked', { balanceTransactionId, type, ledgerIds });

export const collected = (log: Log, documents: number) => log.info('stripe-own.collected', { documents });

export const unread = (log: Log, error: string) => log.error('stripe-own.unread', { error });
