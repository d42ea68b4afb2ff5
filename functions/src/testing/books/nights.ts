import type Stripe from 'stripe';
import type { FortnoxEmulator } from '../../../../emulators/fortnox/index.ts';
import type { Voucher } from '../../accounting/accounting.ts';
import type { LedgerDocument } from '../../ledger/ledger.ts';
import { hours, startOfBusinessDate } from '../../platform/clock.ts';
import type { Difference } from '../../reconciliation/reconciliation.ts';
import type { Reconciliation } from '../../reconciliation/run.ts';
import { fortnoxAway, isWithin, stripeAway, wrongInFortnox, type Keepers } from './keepers.ts';
import { postStopped } from './script.ts';
import type { Stage } from '../weeks/stage.ts';

/** One night's proof, and what the player knows of the same moment. */
export interface NightSeen {
  day: number;
  night: Reconciliation;
  /** Stripe's events that were on their way when the proof began, or lost not long before. */
  unheard: readonly Stripe.Event[];
  /** The tenant's account at Stripe. */
  tenant: string;
  /** The platform's balance transaction that nobody has explained. */
  loose: string | undefined;
  ledger: readonly LedgerDocument[];
  vouchers: readonly Voucher[];
  inFortnox: ReturnType<FortnoxEmulator['core']['state']>['vouchers'];
  keepers: Keepers;
  stage: Stage;
}

/** What of a night nobody's doing explains; nothing, when it is as it should be. */
export function unexplained(seen: NightSeen): string[] {
  const { day, night } = seen;
  const found = [
    ...readings(seen),
    ...night.differences.filter((one) => !isExplained(seen, one)).map((one) => JSON.stringify(one)),
    ...unseen(seen),
    ...clearing(seen),
    ...seen.vouchers.filter((one) => one.state !== 'posted' && !waitsRightly(seen, one)).map(inWords),
  ];
  return found.map((what) => `night ${day} (${night.date}): ${what}`);
}

/** Fortnox and Stripe are read in every night but those in which they are away: then, and only then, the proof says so. */
function readings({ day, night: { counts, fortnox, ok, differences } }: NightSeen): string[] {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const unchecked = day === stripeAway ? all : 0;
  const isOk = differences.length === 0 && day !== fortnoxAway && day !== stripeAway;
  return [
    ...(counts.unchecked === unchecked && counts.unverifiable === 0 ? [] : [`accounts ${JSON.stringify(counts)}`]),
    ...((fortnox.error !== undefined) === (day === fortnoxAway) ? [] : [`Fortnox: ${fortnox.error ?? 'was read'}`]),
    ...(ok === isOk ? [] : [`ok is ${ok}`]),
  ];
}

/**
 * The differences there may be: the voucher that somebody has altered and not mended; the movement of Stripe's that only a
 * person can explain; money that moved on a coach's account, whose events Stripe does not list for us, and whose event has
 * not arrived; and the sum of an account with such money, which differs by exactly that.
 */
function isExplained(seen: NightSeen, { kind, account, ids, ledgerMinor, otherMinor }: Difference): boolean {
  if (kind === 'voucher-altered') return ids[0] === alteredId(seen);
  if (kind === 'transaction-unexplained') {
    return ids.every((id) => (account === 'platform' ? id === seen.loose : isOnItsWay(seen, account, id)));
  }
  const moved = seen.night.differences.filter(
    (one) => one.kind === 'transaction-unexplained' && one.account === account,
  );
  return (
    kind === 'totals-differ' && moved.length > 0 && otherMinor - ledgerMinor === sum(moved.map((one) => one.otherMinor))
  );
}

function isOnItsWay({ stage, unheard }: NightSeen, account: string, transactionId: string): boolean {
  const source = stage.core.world.books.get(account)?.balanceTransactions.get(transactionId)?.source;
  return typeof source === 'string' && unheard.some((event) => JSON.stringify(event).includes(`"${source}"`));
}

const alteredId = ({ keepers: { altered }, vouchers }: NightSeen): string | undefined =>
  altered && vouchers.find(({ key }) => altered.description.endsWith(key))?.id;

/** What must be told, each night until it is mended: the altered voucher, the tenant's refund while the post stands still, what is not explained. */
function unseen({ day, night: { differences }, keepers: { altered }, tenant, loose }: NightSeen): string[] {
  const alterations = differences.filter(({ kind }) => kind === 'voucher-altered').length;
  const isDeaf = day > postStopped.from.day && day <= postStopped.until.day;
  const unexplained = differences.filter(({ kind }) => kind === 'transaction-unexplained');
  const told = unexplained.some(({ account }) => account === tenant);
  return [
    ...(alterations === (altered ? 1 : 0) ? [] : [`${alterations} vouchers are said to be altered`]),
    ...(isDeaf && !told ? ['the tenant’s refund is not missed'] : []),
    ...(loose === undefined || unexplained.some(({ ids }) => ids.includes(loose)) ? [] : [`${loose} is not told`]),
  ];
}

/** Fortnox's clearing account is the ledger's money at Stripe less the vouchers that are not there and what has none yet. */
function clearing({ ledger, vouchers, inFortnox }: NightSeen): string[] {
  const keys = new Map(inFortnox.map(({ description }) => [description.split(' ').at(-1), description]));
  const missing = vouchers.filter(({ key }) => !keys.has(key));
  const said = [
    ...missing.filter(({ state }) => state === 'posted').map(({ id }) => `${id} is posted and not in Fortnox`),
    ...(inFortnox.length === vouchers.length - missing.length
      ? []
      : ['Fortnox has one twice, or one that is not ours']),
  ];
  const atStripe = (documents: readonly LedgerDocument[]) =>
    sum(documents.map(({ deltas }) => deltas.stripe_platform + deltas.stripe_connected));
  const ungrouped = ledger.filter(({ voucherId }) => voucherId === null);
  const there = sum(
    inFortnox.flatMap(({ rows }) =>
      rows.filter(({ account }) => account === 1686).map(({ debitOre, creditOre }) => debitOre - creditOre),
    ),
  );
  const waiting = sum(missing.map(({ clearingMinor }) => clearingMinor)) + atStripe(ungrouped);
  return there + waiting === atStripe(ledger) ? said : [...said, `1686 is ${there}, ${waiting} waits`];
}

/** Its period is locked, its account is not active, its year is not there; or this very night it was tried in vain. */
function waitsRightly(
  { day, night, keepers }: NightSeen,
  { state, date, rows, attempts, updatedAt }: Voucher,
): boolean {
  const { locked, inactive, yearMissing } = wrongInFortnox;
  const isInactive = isWithin(day, inactive) && rows.some(({ account }) => account === keepers.inactiveAccount);
  if (state === 'rejected') return isInactive;
  const isLocked = isWithin(day, locked) && date <= keepers.lockedTo;
  const isYearless = isWithin(day, yearMissing) && date >= keepers.newYear;
  const since = startOfBusinessDate(night.date).getTime() + hours(2);
  return isLocked || isInactive || isYearless || (attempts > 0 && updatedAt.toMillis() >= since);
}

const inWords = ({ id, state, attempts, error }: Voucher): string =>
  `${id} is ${state} after ${attempts} attempts: ${error ?? 'no error'}`;

const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);

/** A line of the nights' table. */
export function lineOf({ night, ledger, vouchers, inFortnox }: NightSeen): string {
  const { date, ok, counts, fortnox, differences } = night;
  const told = [
    ...differences.map(({ kind, account, ids }) => `${kind} ${account} ${ids.join()}`),
    ...(counts.unchecked > 0 ? [`${counts.unchecked} accounts unread`] : []),
    ...(fortnox.error === undefined ? [] : ['Fortnox unread']),
  ];
  const numbers = [ledger.length, vouchers.length, inFortnox.length].map((count) => String(count).padStart(5));
  return [date, ...numbers, ok ? 'ok' : 'not ok', told.join('; ')].join('  ');
}
