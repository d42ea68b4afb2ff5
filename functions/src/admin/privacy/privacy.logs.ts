import type { Log } from '../../platform/log.ts';

export const erased = (log: Log, uid: string, state: string) => log.info('erasure.ended', { uid, state });
export const notErased = (log: Log, uid: string, message: string) => log.warn('erasure.waits', { uid, message });
