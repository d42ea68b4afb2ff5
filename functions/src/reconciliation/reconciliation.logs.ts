import type { Log } from '../platform/log.ts';
import type { Reconciliation } from './run.ts';

export const nightProven = (log: Log, night: Reconciliation) => {
  const fields = {
    date: night.date,
    ok: night.ok,
    accountsOk: night.counts.ok,
    accountsDifferent: night.counts.different,
    accountsUnverifiable: night.counts.unverifiable,
    accountsUnchecked: night.counts.unchecked,
    differences: night.differences.length,
  };
  if (night.ok) log.info('reconciliation.night', fields);
  else log.error('reconciliation.night', fields);
};

export const accountUnread = (log: Log, account: string, state: string, error: string) =>
  log.error('reconciliation.account-unread', { account, state, error });

export const accountsQueued = (log: Log, run: string, accounts: number) =>
  log.info('reconciliation.accounts-queued', { run, accounts });

export const forgottenBooked = (log: Log, events: number) => log.info('reconciliation.forgotten-booked', { events });

export const forgottenUnread = (log: Log, error: string) => log.error('reconciliation.forgotten-unread', { error });

export const invariantFailed = (log: Log, name: string, offenders: readonly string[]) =>
  log.error('reconciliation.invariant-failed', { name, offenders });

export const sweepPartFailed = (log: Log, part: string, error: string) =>
  log.error('sweep.part-failed', { part, error });

export const swept = (log: Log, milliseconds: number, failed: readonly string[]) =>
  log.info('sweep.done', { milliseconds, failed });
