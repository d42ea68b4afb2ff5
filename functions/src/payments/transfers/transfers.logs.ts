import type { Log } from '../../platform/log.ts';

/** Every log line of this room. */
export const asking = (log: Log, id: string, mode: string) => log.info('transfer.asking', { id, mode });
export const done = (log: Log, id: string, stripeId: string) => log.info('transfer.done', { id, stripeId });
export const refused = (log: Log, id: string, code: string, message: string) =>
  log.error('transfer.refused', { id, code, message });
export const unclear = (log: Log, id: string, code: string, message: string) =>
  log.warn('transfer.unclear', { id, code, message });
export const busy = (log: Log, id: string, code: string) => log.warn('transfer.busy', { id, code });
export const checkFailed = (log: Log, id: string, message: string) =>
  log.error('transfer.check-failed', { id, message });
