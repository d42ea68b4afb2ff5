import type { Log } from '../platform/log.ts';

/** Log lines of how sessions end. */
export const completed = (log: Log, sessionId: string, outcome: string, by: string) =>
  log.info('session.completed', { sessionId, outcome, by });
export const canceled = (log: Log, sessionId: string, by: string, late: boolean, refundMinor: number) =>
  log.info('session.canceled', { sessionId, by, late, refundMinor });
export const moved = (log: Log, sessionId: string, by: string, times: number) =>
  log.info('session.moved', { sessionId, by, times });
export const notCompleted = (log: Log, sessionId: string, error: string) =>
  log.warn('session.not-completed', { sessionId, error });
export const backlog = (log: Log, looked: number) => log.warn('sessions.more-to-look-at', { looked });
