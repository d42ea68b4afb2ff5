import type { Log } from '../platform/log.ts';

/** Every log line of this domain. No e-mail addresses, no names. */
export const coachCreated = (log: Log, coachId: string) => log.info('coach.created', { coachId });

export const accountAsked = (log: Log, coachId: string, resumed: boolean) =>
  log.info('coach.account-asked', { coachId, resumed });

export const accountSaved = (log: Log, coachId: string, stripeAccountId: string, accountStatus: string) =>
  log.info('coach.account-saved', { coachId, stripeAccountId, accountStatus });

export const accountRefused = (log: Log, coachId: string, code: string, message: string) =>
  log.error('coach.account-refused', { coachId, code, message });

export const accountUnclear = (log: Log, coachId: string, code: string, message: string) =>
  log.warn('coach.account-unclear', { coachId, code, message });

export const accountNotReadable = (log: Log, coachId: string, stripeAccountId: string, message: string) =>
  log.warn('coach.account-not-readable', { coachId, stripeAccountId, message });

export const accountDeauthorized = (log: Log, coachId: string, stripeAccountId: string) =>
  log.error('coach.account-deauthorized', { coachId, stripeAccountId });

export const termsSet = (log: Log, coachId: string, by: string) => log.info('coach.terms-set', { coachId, by });
