import { createHash } from 'node:crypto';
import { Timestamp } from 'firebase-admin/firestore';
import type { LedgerDocument, LedgerKind } from '../ledger/ledger.ts';
import { businessDate, type BusinessDate } from '../platform/clock.ts';
import { sanitizeText } from '../platform/fortnox/text.ts';
import { minor, negate, sum, zero, type Currency, type Minor } from '../platform/money.ts';
import type { AccountPlan } from './account-plan.ts';
import { firstTryMs, type Voucher, type VoucherRow } from './accounting.ts';
import { postings } from './posting-rules.ts';

/** Raised when the posting table changes, so that an old voucher can be read by the rules it was made with. */
export const ruleVersion = 2;

/** Fortnox's limits on texts. */
const descriptionMax = 200;
const rowTextMax = 100;

/** What a voucher is made with. */
export interface Books {
  plan: AccountPlan;
  series: string;
  /** The currency the books are kept in. */
  currency: Currency;
}

/**
 * What becomes of a ledger document in the books. `none`: it moves nothing. `unsupported`: no rule covers it; it stays
 * ungrouped and a person is told, because leaving it out of the books silently would be wrong.
 */
export type Drafted =
  { outcome: 'voucher'; voucher: Voucher } | { outcome: 'none' } | { outcome: 'unsupported'; reason: string };

/** What a kind is called in the books. */
export const what: Record<LedgerKind, string> = {
  sale: 'Försäljning',
  own_sale: 'Egen försäljning',
  direct_sale: 'Försäljning hos ansluten butik',
  session_paid: 'Förskott för session',
  session_completed: 'Genomförd session',
  fee: 'Stripes avgift',
  transfer: 'Överföring till coach',
  transfer_reversal: 'Återtagen överföring',
  refund: 'Återbetalning',
  refund_failed: 'Misslyckad återbetalning',
  fee_refund: 'Återförd avgift',
  dispute_withdrawn: 'Bestridd betalning',
  dispute_reinstated: 'Bestridd betalning åter',
  dispute_lost: 'Förlorad tvist',
  payout: 'Utbetalning till coach',
  payout_returned: 'Återförd utbetalning',
  platform_payout: 'Utbetalning till banken',
  write_off: 'Avskriven fordran på coach',
  reserve: 'Reserv hos Stripe',
  topup: 'Insättning hos Stripe',
  adjustment: 'Justering från Stripe',
};

/** One ledger document, one voucher: frozen rows, ready to be sent. Pure. */
export function draftVoucher(document: LedgerDocument, books: Books, now: Date): Drafted {
  const posted = postedRows(document, books);
  if (posted.outcome !== 'rows') return posted;
  const id = voucherIdOf(document.id);
  const facts = { id, documents: [document], kind: document.kind, date: dateOf(document) };
  const text = sanitizeText(document.stripeObjectId, rowTextMax);
  return { outcome: 'voucher', voucher: built(facts, rowsOf(posted.moved, text), wordsFor(document), books, now) };
}

/** What it is, Stripe's id, and what it corrects: not by that one's key, by which only the voucher itself may be found. */
const wordsFor = ({ kind, stripeObjectId, reverses }: LedgerDocument): string =>
  `${what[kind]} ${stripeObjectId}${reverses ? ` rättar ${reverses}` : ''}`;

/** Which voucher of a day and kind: the first, or one for what came late. */
export interface DayOf {
  date: BusinessDate;
  kind: LedgerKind;
  sequence: number;
}

/**
 * One voucher for many documents of a day and kind; their list goes with it as a file. Each document is posted by itself
 * and debits and credits are summed apart, so that the list adds up to it and nothing is netted away. One document alone
 * is named by the voucher itself, which needs no list.
 */
export function draftDay(of: DayOf, documents: readonly LedgerDocument[], books: Books, now: Date): Drafted {
  const [debits, credits] = [new Map<number, Minor>(), new Map<number, Minor>()];
  for (const document of documents) {
    const posted = postedRows(document, books);
    if (posted.outcome === 'unsupported') return posted;
    if (posted.outcome === 'none') continue;
    for (const [account, amount] of posted.moved) {
      const side = amount > 0 ? debits : credits;
      side.set(account, minor((side.get(account) ?? 0) + amount));
    }
  }
  const { date, kind, sequence } = of;
  const [only] = documents.length === 1 ? documents : [];
  const text = sanitizeText(only ? only.stripeObjectId : `${what[kind]} ${date}`, rowTextMax);
  const rows = [...rowsOf(debits, text), ...rowsOf(credits, text)];
  if (rows.length === 0) return { outcome: 'none' };
  const words = only
    ? wordsFor(only)
    : `${what[kind]} ${date} nr ${sequence}, ${documents.length} st enligt bifogad lista`;
  const voucher = { ...built({ id: dayVoucherId(of), documents, kind, date }, rows, words, books, now), sequence };
  if (only) return { outcome: 'voucher', voucher };
  return { outcome: 'voucher', voucher: { ...voucher, list: { state: 'wanted', plan: books.plan } } };
}

export const dayVoucherId = ({ date, kind, sequence }: DayOf): string => `v_${date}_${kind}_${sequence}`;

/** Whether it may have a list. */
export const isDayVoucher = (id: string): boolean => /^v_\d{4}-\d{2}-\d{2}_/.test(id);

/** The Stockholm day on which Stripe moved the money. */
export const dateOf = (document: Pick<LedgerDocument, 'occurredAt'>): BusinessDate =>
  businessDate(document.occurredAt.toDate());

interface VoucherFacts {
  id: string;
  documents: readonly LedgerDocument[];
  kind: LedgerKind;
  date: BusinessDate;
}

/** A payout shows the voucher that booked it leaving; the one that booked it coming back is found in the ledger. */
const isLeaving = ({ kind, reverses }: LedgerDocument): boolean =>
  (kind === 'payout' || kind === 'platform_payout') && reverses === undefined;

function built(
  { id, documents, kind, date }: VoucherFacts,
  rows: VoucherRow[],
  words: string,
  { plan, series }: Books,
  now: Date,
): Voucher {
  const key = voucherKey(id);
  const at = Timestamp.fromDate(now);
  const payoutIds = documents.filter(isLeaving).flatMap(({ payoutId }) => payoutId ?? []);
  return {
    id,
    kind,
    ledgerIds: documents.map((document) => document.id),
    profile: plan.profile,
    ruleVersion,
    series,
    date,
    description: describe(words, key),
    key,
    rows,
    clearingMinor: clearingNet(rows, plan),
    clearingAccount: plan.clearing,
    state: 'ready',
    ...(payoutIds.length > 0 ? { payoutIds } : {}),
    attempts: 0,
    nextTryAt: Timestamp.fromMillis(now.getTime() + firstTryMs),
    createdAt: at,
    updatedAt: at,
  };
}

export type PostedRows =
  { outcome: 'rows'; moved: Map<number, Minor> } | { outcome: 'none' } | { outcome: 'unsupported'; reason: string };

/** What a document posts by itself: debit positive, by account. */
export function postedRows(document: LedgerDocument, { plan, currency }: Books): PostedRows {
  if (document.currency !== currency) {
    const reason = `it is in ${document.currency}, and the books are kept in ${currency}: no rule converts it`;
    return { outcome: 'unsupported', reason };
  }
  const posted = postings(document, plan);
  if (!posted.ok) return { outcome: 'unsupported', reason: posted.reason };
  return posted.moved.size === 0 ? { outcome: 'none' } : { outcome: 'rows', moved: posted.moved };
}

/** One row an account, zero rows left out, in the order in which vouchers are read. */
export const rowsOf = (moved: ReadonlyMap<number, Minor>, text: string): VoucherRow[] =>
  [...moved].map(([account, amount]) => row(account, amount, text)).sort(debitFirst);

function row(account: number, amount: Minor, text: string): VoucherRow {
  return amount > 0
    ? { account, debitMinor: amount, creditMinor: zero, text }
    : { account, debitMinor: zero, creditMinor: negate(amount), text };
}

/** The way vouchers are read: debits, then credits, each by account. */
export function debitFirst(a: VoucherRow, b: VoucherRow): number {
  return Number(b.debitMinor > 0) - Number(a.debitMinor > 0) || a.account - b.account;
}

/** Debits less credits of the clearing account: what the voucher says moved in Stripe. */
export function clearingNet(rows: readonly VoucherRow[], plan: Pick<AccountPlan, 'clearing'>): Minor {
  return sum(rows.filter((one) => one.account === plan.clearing).map((one) => one.debitMinor - one.creditMinor));
}

/** `ch_1:sale` -> `v_ch_1_sale`: the same ledger document can become one voucher only. */
export function voucherIdOf(ledgerId: string): string {
  return `v_${ledgerId.replaceAll(':', '_')}`;
}

/** Digits and letters without i, l, o and u: nothing that is misread or spells a word. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const keyLength = 12;

/** Twelve characters (60 bits) of SHA-256 of the voucher's id. Two of a million vouchers share one with a chance of one in two million. */
export function voucherKey(voucherId: string): string {
  const digest = createHash('sha256').update(voucherId).digest();
  let bits = digest.readBigUInt64BE(0);
  let key = '';
  for (let i = 0; i < keyLength; i += 1) {
    key += alphabet[Number(bits & 31n)];
    bits >>= 5n;
  }
  return key;
}

/** The voucher on the first open day instead of its own; its text says which day that was. */
export function redated(voucher: Voucher, date: BusinessDate): Voucher {
  const { key, eventDate = voucher.date } = voucher;
  const words = wordsOf(voucher);
  const said = voucher.eventDate ? words : `${sanitizeText(words, descriptionMax - 40)} avser ${eventDate}`;
  return { ...voucher, date, eventDate, description: describe(said, key) };
}

/** The description without its key. */
export const wordsOf = ({ description, key }: Voucher): string => description.slice(0, -key.length - 1);

/** Words and, always whole and last, the key. */
export function describe(words: string, key: string): string {
  return `${sanitizeText(words, descriptionMax - key.length - 1)} ${key}`;
}
