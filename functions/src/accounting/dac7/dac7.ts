import { ledgerKinds, type LedgerKind } from '../../ledger/ledger.ts';
import type { ShareSums } from '../../ledger/sums.store.ts';
import { csvAmount } from '../../platform/csv.ts';
import { startOfBusinessDate, type BusinessDate } from '../../platform/clock.ts';
import { minor, sum, type Currency, type Minor } from '../../platform/money.ts';
import type { Identity, MissingIdentity } from './identity.ts';

/**
 * What a platform reports of its sellers by 31 January (22 c kap. Skatteförfarandelagen; lag 2022:1681, "POL"; directive (EU)
 * 2021/514, annex V): by quarter the consideration, which is what is paid or credited to a seller in any form (2 kap. 12 § POL)
 * after what the platform takes, the number of activities it was for, and the platform's fees of it. Coaching is a personal
 * service (2 kap. 10 § POL), for which there is no lower limit.
 */
export const quarters = [1, 2, 3, 4] as const;
export type Quarter = (typeof quarters)[number];

/**
 * A payout pays what was credited before, and what Stripe holds back, corrects or is sent is paid for nothing that was
 * sold; all else that moves a coach's share is consideration, or takes it off.
 */
const noConsideration: ReadonlySet<LedgerKind> = new Set([
  'payout',
  'payout_returned',
  'reserve',
  'topup',
  'adjustment',
]);
export const considered: readonly LedgerKind[] = ledgerKinds.filter((kind) => !noConsideration.has(kind));

/** Each is one activity that the coach was credited for. What is kept of a session cancelled late is money, but no activity. */
export const activityKinds: readonly LedgerKind[] = ['sale', 'session_completed', 'direct_sale'];

/** The first moment of a quarter and of the next, in Stockholm. */
export function spanOf(year: number, quarter: Quarter): { from: Date; to: Date } {
  const start = (month: number, of = year): Date =>
    startOfBusinessDate(`${of}-${String(month).padStart(2, '0')}-01` satisfies BusinessDate);
  return { from: start(quarter * 3 - 2), to: quarter === 4 ? start(1, year + 1) : start(quarter * 3 + 1) };
}

export interface QuarterSums {
  quarter: Quarter;
  /** What the coach was credited, after the platform's fee and after what went back. Negative where more went back. */
  considerationMinor: Minor;
  /** The platform's fee of it, less what was given back. */
  feesMinor: Minor;
  activities: number;
  /** What refunds and lost disputes took off the coach's share, less what was kept of late cancellations and written off. */
  takenOffMinor: Minor;
}

/** `all`: every kind that is considered; `activities`: those that are activities, before anything went back. */
export const quarterOf = (quarter: Quarter, all: ShareSums, activities: ShareSums): QuarterSums => ({
  quarter,
  considerationMinor: all.shareMinor,
  feesMinor: all.feeMinor,
  activities: activities.count,
  takenOffMinor: minor(activities.shareMinor - all.shareMinor),
});

export type YearSums = Omit<QuarterSums, 'quarter'>;

export const yearOf = (parts: readonly QuarterSums[]): YearSums => ({
  considerationMinor: sum(parts.map(({ considerationMinor }) => considerationMinor)),
  feesMinor: sum(parts.map(({ feesMinor }) => feesMinor)),
  activities: parts.reduce((total, { activities }) => total + activities, 0),
  takenOffMinor: sum(parts.map(({ takenOffMinor }) => takenOffMinor)),
});

/** One coach in one currency. */
export interface ReportedSeller {
  coachId: string;
  stripeAccountId: string | null;
  currency: Currency;
  quarters: QuarterSums[];
  year: YearSums;
  identity: Identity;
  /** What the report asks for and nobody has told us. */
  missing: MissingIdentity[];
  /** What keeps the seller out of the XML file; empty: nothing does. */
  obstacles: Obstacle[];
}

export type Obstacle = Exclude<MissingIdentity, 'iban'> | 'sellsGoods' | 'negativeQuarter';

/**
 * What keeps a seller out of the XML file, to be reported by hand: what a seller is named by is not known (the account is only
 * told where it is known), they have goods to sell (another activity than personal services, with sums of its own, which the
 * ledger does not tell apart), or a quarter in which more went back than came.
 */
export const obstaclesOf = (of: {
  missing: readonly MissingIdentity[];
  sellsGoods: boolean;
  quarters: readonly QuarterSums[];
}): Obstacle[] => [
  ...of.missing.filter((what) => what !== 'iban'),
  ...(of.sellsGoods ? (['sellsGoods'] as const) : []),
  ...(of.quarters.some(({ considerationMinor, feesMinor }) => considerationMinor < 0 || feesMinor < 0)
    ? (['negativeQuarter'] as const)
    : []),
];

const identityColumns = [
  'coachId',
  'kind',
  'name',
  'firstName',
  'lastName',
  'street',
  'postalCode',
  'city',
  'country',
  'tin',
  'tinCountry',
  'registrationNumber',
  'birthDate',
  'vatNumber',
  'iban',
  'stripeAccountId',
  'missing',
  'obstacles',
] as const;
const quarterColumns = ['consideration', 'fees', 'activities', 'takenOff'] as const;

/** The report as rows, a header first: a seller and currency a row, the quarters beside each other. */
export function rowsOf(sellers: readonly ReportedSeller[]): string[][] {
  const header = [
    ...identityColumns,
    'currency',
    ...quarters.flatMap((quarter) => quarterColumns.map((column) => `Q${quarter} ${column}`)),
    ...quarterColumns.map((column) => `year ${column}`),
  ];
  return [header, ...sellers.map(rowOf)];
}

function rowOf(seller: ReportedSeller): string[] {
  const { coachId, identity, missing, obstacles, stripeAccountId, currency, quarters: parts, year } = seller;
  const told: Record<(typeof identityColumns)[number], string | null> = {
    ...identity,
    coachId,
    stripeAccountId,
    missing: missing.join(' '),
    obstacles: obstacles.join(' '),
  };
  const money = (amount: Minor): string => csvAmount(amount, currency, 'sv');
  const sums = ({ considerationMinor, feesMinor, activities, takenOffMinor }: YearSums): string[] => [
    money(considerationMinor),
    money(feesMinor),
    String(activities),
    money(takenOffMinor),
  ];
  return [...identityColumns.map((column) => told[column] ?? ''), currency, ...[...parts, year].flatMap(sums)];
}
