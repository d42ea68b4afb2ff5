import type { FlagInput } from '../admin/flags.ts';
import type { ClosedSum } from '../platform/closed-sums.ts';
import { inWords, listLimit, type Difference } from './reconciliation.ts';
import type { Reconciliation } from './run.ts';

/** How many differences a flag spells out; the document has more. */
const spelledOut = 5;

/** Accounts that cannot be seen have flags of their own. */
export function needsPerson(night: Reconciliation): boolean {
  return night.differences.length > 0 || night.counts.unchecked > 0 || night.fortnox.error !== undefined;
}

export const differenceKind = 'reconciliation-difference';

/** Fortnox deletes nothing: these are told in the night that finds them, and only a person knows that they are settled. */
const toldOnce: ReadonlySet<Difference['kind']> = new Set(['voucher-twice-in-fortnox', 'voucher-not-ours']);

/** Whether a later night that finds nothing shows that all this night found is mended. */
export const canBeDisproved = ({ differences }: Pick<Reconciliation, 'differences'>): boolean =>
  differences.length < listLimit && !differences.some(({ kind }) => toldOnce.has(kind));

export function differenceFlag(night: Reconciliation): FlagInput {
  const { date, differences, counts, accounts } = night;
  const words = differences.slice(0, spelledOut).map(inWords);
  if (differences.length > spelledOut) words.push(`and ${differences.length - spelledOut} more`);
  if (counts.unchecked > 0) {
    const first = accounts.find(({ state }) => state === 'unchecked');
    const why = first ? ` (${first.account}: ${first.error ?? ''})` : '';
    words.push(`${counts.unchecked} accounts could not be read${why}`);
  }
  if (night.fortnox.error) words.push(`Fortnox could not be read: ${night.fortnox.error}`);
  return {
    id: `${differenceKind}_${date}`,
    kind: differenceKind,
    severity: 'critical',
    subject: `reconciliations/${date}`,
    message: `Stripe, the ledger and Fortnox are not proven to agree at the start of ${date}: ${words.join('; ')}.`,
    action:
      'Look up the ids in the Stripe dashboard and the ledger (docs/accounting.md says what each kind means). What is not mended shows again tomorrow.',
  };
}

export const unverifiableKind = 'account-unverifiable';

const unverifiableId = (account: string): string => `${unverifiableKind}_${account}`;

/** The account that a flag of this kind is about. */
export const unverifiableAccount = ({ id }: Pick<FlagInput, 'id'>): string => id.slice(unverifiableId('').length);

export const unverifiableFlag = (account: string, run: string, why: string): FlagInput => ({
  id: unverifiableId(account),
  kind: unverifiableKind,
  severity: 'warning',
  subject: run,
  message: `What ${account} holds cannot be compared with Stripe: ${why}`,
  action:
    'Ask the coach for a statement of the Stripe account, or to connect it again. Nothing is paid to it meanwhile.',
});

export const lateFlagId = (run: string): string => `reconciliation-late_${run.replaceAll('/', '_')}`;

export const lateFlag = (run: string): FlagInput => ({
  id: lateFlagId(run),
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

export function wrongSumFlag(id: string, { kept, right }: Record<'kept' | 'right', ClosedSum>): FlagInput {
  const parts = Object.keys(right.sums).filter((part) => right.sums[part] !== kept.sums[part]);
  const words = parts.map(
    (part) => `${part} ${kept.sums[part] ?? 'nothing'} instead of ${right.sums[part] ?? 'nothing'}`,
  );
  return {
    id: `closed-sum-wrong_${id}`,
    kind: 'closed-sum-wrong',
    severity: 'critical',
    subject: `closedSums/${id}`,
    message: `A sum that was kept is not what its ${right.count} documents add up to: it had ${[`${kept.count} documents`, ...words].join(', ')}.`,
    action:
      'It has been put right by itself. Tell the engineers: a document was changed or taken away, or came with a time long past. Look at what was paid to the bank since the last proof that came out.',
  };
}

export const sweepFlagId = 'sweep-failed';

export const sweepFlag = (failures: readonly { part: string; error: string }[]): FlagInput => ({
  id: sweepFlagId,
  kind: 'sweep-failed',
  severity: 'critical',
  subject: 'sweep',
  message: `Parts of the sweep failed: ${failures.map(({ part, error }) => `${part}: ${error}`).join('; ')}.`,
  action:
    'See the log lines sweep.part-failed. It runs again in five minutes; if the flag is seen again, tell the engineers.',
});
