import type { Log } from '../../platform/log.ts';

export const begun = (log: Log, by: string) => log.info('fortnox.connection-begun', { by });
export const connected = (log: Log, by: string, tenantId: string) => log.info('fortnox.connected', { by, tenantId });
export const notConnected = (log: Log, reason: string, detail?: string) =>
  log.warn('fortnox.not-connected', { reason, ...(detail ? { detail } : {}) });
