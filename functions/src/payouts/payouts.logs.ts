import type { Log } from '../platform/log.ts';
import type { PayoutFacts } from './payouts.ts';

/** Every log line of this domain. */
export const runStarted = (log: Log, runId: string, after: string, resumed: boolean) =>
  log.info('payouts.run-started', { runId, after, resumed });
export const runDone = (log: Log, runId: string, queued: number) => log.info('payouts.run-done', { runId, queued });
export const runNotNeeded = (log: Log, runId: string, why: string) =>
  log.info('payouts.run-not-needed', { runId, why });

export const nothingPaid = (log: Log, coachId: string, runId: string, reason: string) =>
  log.info('payout.nothing-paid', { coachId, runId, reason });
export const frozen = (log: Log, payoutId: string, amountMinor: number, currency: string) =>
  log.info('payout.frozen', { payoutId, amountMinor, currency });
export const overtaken = (log: Log, coachId: string, runId: string) => log.info('payout.overtaken', { coachId, runId });
export const asking = (log: Log, payoutId: string) => log.info('payout.asking', { payoutId });
export const recorded = (log: Log, payoutId: string, facts: PayoutFacts) =>
  log.info('payout.recorded', { payoutId, stripePayoutId: facts.id, stripeStatus: facts.status });
export const refused = (log: Log, payoutId: string, code: string, message: string) =>
  log.error('payout.refused', { payoutId, code, message });
export const unclear = (log: Log, payoutId: string, code: string, message: string) =>
  log.warn('payout.unclear', { payoutId, code, message });
export const busy = (log: Log, payoutId: string, code: string) => log.warn('payout.busy', { payoutId, code });
export const closed = (log: Log, payoutId: string, code: string) => log.warn('payout.closed', { payoutId, code });
export const checkFailed = (log: Log, payoutId: string, message: string) =>
  log.error('payout.check-failed', { payoutId, message });
export const balanceRefused = (log: Log, coachId: string, code: string) =>
  log.error('payout.balance-refused', { coachId, code });
export const taskFailed = (log: Log, coachId: string, runId: string, last: boolean, message: string) =>
  log.error('payout.task-failed', { coachId, runId, last, message });
export const invoiceIssued = (log: Log, invoiceId: string, number: string) =>
  log.info('payout.invoice-issued', { invoiceId, number });
export const invoiceFailed = (log: Log, payoutId: string, message: string) =>
  log.error('payout.invoice-failed', { payoutId, message });
