import type { FlagInput } from '../admin/flags.ts';
import { inWords } from './reconciliation.ts';
import type { Reconciliation } from './run.ts';

/** How many differences a flag spells out; the document has more. */
const spelledOut = 5;

/** Accounts that cannot be seen have flags of their own. */
export function needsPerson(night: Reconciliation): boolean {
  return night.differences.length > 0 || night.counts.unchecked > 0 || night.fortnox.error !== undefined;
}

export function differenceFlag(night: Reconciliation): FlagInput {
  const { date, differences, counts } = night;
  const words = differences.slice(0, spelledOut).map(inWords);
  if (differences.length > spelledOut) words.push(`and ${differences.length - spelledOut} more`);
  if (counts.unchecked > 0) words.push(`${counts.unchecked} accounts could not be read`);
  if (night.fortnox.error) words.push(`Fortnox could not be read: ${night.fortnox.error}`);
  return {
    id: `reconciliation-difference_${date}`,
    kind: 'reconciliation-difference',
    severity: 'critical',
    subject: `reconciliations/${date}`,
    message: `Stripe, the ledger and Fortnox are not proven to agree at the start of ${date}: ${words.join('; ')}.`,
    action:
      'Look up the ids in the Stripe dashboard and the ledger (docs/accounting.md says what each kind means). What is not mended shows again tomorrow.',
  };
}

export const unverifiableFlag = (account: string, run: string, why: string): FlagInput => ({
  id: `account-unverifiable_${account}`,
  kind: 'account-unverifiable',
  severity: 'warning',
  subject: run,
  message: `What ${account} holds cannot be compared with Stripe: ${why}`,
  action:
    'Ask the coach for a statement of the Stripe account, or to connect it again. Nothing is paid to it meanwhile.',
});

export const lateFlag = (run: string): FlagInput => ({
  id: `reconciliation-late_${run.replaceAll('/', '_')}`,
  kind: 'reconciliation-late',
  severity: 'warning',
  subject: run,
  message: 'A proof that Stripe, the ledger and Fortnox agree has been under way for more than three hours.',
  action: 'Look for errors of reconcileCoach in the log. The sweep goes on with it by itself.',
});

export const invariantFlag = (name: string, offenders: readonly string[]): FlagInput => ({
  id: `invariant_${name}`,
  kind: 'invariant-failed',
  severity: 'critical',
  subject: offenders[0] ?? name,
  message: `What must always hold does not (${name}): ${offenders.slice(0, spelledOut).join('; ')}.`,
  action: 'Stop payouts of what it concerns and tell the engineers at once.',
});

export const sweepFlag = (failures: readonly { part: string; error: string }[]): FlagInput => ({
  id: 'sweep-failed',
  kind: 'sweep-failed',
  severity: 'critical',
  subject: 'sweep',
  message: `Parts of the sweep failed: ${failures.map(({ part, error }) => `${part}: ${error}`).join('; ')}.`,
  action:
    'See the log lines sweep.part-failed. It runs again in five minutes; if the flag is seen again, tell the engineers.',
});
