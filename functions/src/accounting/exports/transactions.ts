import type { LedgerDocument, LedgerKind } from '../../ledger/ledger.ts';
import { businessTime } from '../../platform/clock.ts';
import { csvOf } from '../../platform/csv.ts';
import { minor, toMajor } from '../../platform/money.ts';
import { what } from '../vouchers.ts';

/** The sheets of the workbook, and what is on which. */
export const groups = ['transactions', 'fees', 'refunds', 'disputes', 'payouts'] as const;
export type Group = (typeof groups)[number];

const groupOf: Record<LedgerKind, Group> = {
  sale: 'transactions',
  own_sale: 'transactions',
  direct_sale: 'transactions',
  session_paid: 'transactions',
  session_completed: 'transactions',
  transfer: 'transactions',
  write_off: 'transactions',
  reserve: 'transactions',
  topup: 'transactions',
  adjustment: 'transactions',
  fee: 'fees',
  fee_refund: 'fees',
  refund: 'refunds',
  refund_failed: 'refunds',
  transfer_reversal: 'refunds',
  dispute_withdrawn: 'disputes',
  dispute_reinstated: 'disputes',
  dispute_lost: 'disputes',
  payout: 'payouts',
  payout_returned: 'payouts',
  platform_payout: 'payouts',
};

export type Cell = string | number;

export const columns = [
  'Tid',
  'Grupp',
  'Slag',
  'Stripe',
  'Betalning',
  'Utbetalning',
  'Coach',
  'Belopp',
  'Coachens del',
  'Avgift',
  'Moms %',
  'Valuta',
  'Rörelse hos Stripe',
  'Liggare',
  'Verifikation',
] as const;

const groupNames: Record<Group, string> = {
  transactions: 'Transaktioner',
  fees: 'Avgifter',
  refunds: 'Återbetalningar',
  disputes: 'Tvister',
  payouts: 'Utbetalningar',
};

/** One ledger document as a row; amounts in major units. `references`: where vouchers are in Fortnox. */
function rowOf(document: LedgerDocument, references: ReadonlyMap<string, string>): Cell[] {
  const { kind, parts, deltas, currency, voucherId } = document;
  const major = (amount: number): number => toMajor(minor(amount), currency);
  return [
    businessTime(document.occurredAt.toDate()),
    groupNames[groupOf[kind]],
    what[kind],
    document.stripeObjectId,
    document.paymentId ?? '',
    document.payoutId ?? '',
    document.coachId ?? '',
    major(parts.grossMinor),
    major(parts.coachMinor),
    major(parts.feeMinor),
    parts.vatRate,
    currency,
    major(deltas.stripe_platform + deltas.stripe_connected),
    document.id,
    (voucherId && (references.get(voucherId) ?? voucherId)) ?? '',
  ];
}

/** For a Swedish spreadsheet: UTF-8 with a byte order mark, semicolons, decimal commas; no text runs as a formula. */
export function transactionsCsv(documents: readonly LedgerDocument[], references: ReadonlyMap<string, string>): string {
  return csvOf([[...columns], ...documents.map((document) => rowOf(document, references).map(csvText))], 'sv');
}

const csvText = (cell: Cell): string => (typeof cell === 'number' ? String(cell).replace('.', ',') : cell);

export interface SheetOf {
  name: string;
  rows: Cell[][];
}

/** A sheet for each group, also an empty one: that there was nothing is an answer. */
export function transactionSheets(
  documents: readonly LedgerDocument[],
  references: ReadonlyMap<string, string>,
): SheetOf[] {
  return groups.map((group) => ({
    name: groupNames[group],
    rows: documents.filter(({ kind }) => groupOf[kind] === group).map((document) => rowOf(document, references)),
  }));
}
