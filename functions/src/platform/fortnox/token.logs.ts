import type { Log } from '../log.ts';

export const refreshed = (log: Log, version: number) => log.info('fortnox.token-refreshed', { version });
export const consentNeeded = (log: Log, version: number, reason: string) =>
  log.error('fortnox.consent-needed', { version, reason });
/** The one copy of the company's consent is in this process's memory until this ends. */
export const unsaved = (log: Log, error: string) => log.error('fortnox.token-unsaved', { error });
export const overtaken = (log: Log, basedOn: number, by: number) =>
  log.warn('fortnox.token-overtaken', { basedOn, by });
export const untidy = (log: Log, step: string, version: number, error: string) =>
  log.warn('fortnox.token-untidy', { step, version, error });
