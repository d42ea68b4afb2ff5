import { createHash } from 'node:crypto';
import { Timestamp } from 'firebase-admin/firestore';
import { accounts, type LedgerDocument, type LedgerKind } from '../ledger/ledger.ts';
import { businessDate } from '../platform/clock.ts';
import { sanitizeText } from '../platform/fortnox/text.ts';
import { minor, sum, zero, type Currency, type Minor } from '../platform/money.ts';
import { besides, fortnoxAccount, type AccountPlan, type Posted } from './account-plan.ts';
import { firstTryMs, type Voucher, type VoucherRow } from './accounting.ts';

/** Raised when the posting table changes, so that an old voucher can be read by the rules it was made with. */
export const ruleVersion = 1;

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

const what: Record<LedgerKind, string> = {
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
};

/** One ledger document, one voucher: frozen rows, ready to be sent. Pure. */
export function draftVoucher(document: LedgerDocument, books: Books, now: Date): Drafted {
  if (document.currency !== books.currency) {
    const reason = `it is in ${document.currency}, and the books are kept in ${books.currency}: no rule converts it`;
    return { outcome: 'unsupported', reason };
  }
  const drafted = voucherRows(document, books.plan);
  if (!drafted.ok) return { outcome: 'unsupported', reason: drafted.reason };
  if (drafted.rows.length === 0) return { outcome: 'none' };
  const id = voucherIdOf(document.id);
  const key = voucherKey(id);
  const at = Timestamp.fromDate(now);
  const voucher: Voucher = {
    id,
    ledgerIds: [document.id],
    profile: 'specification',
    ruleVersion,
    series: books.series,
    date: businessDate(document.occurredAt.toDate()),
    description: describe(what[document.kind], document.stripeObjectId, key),
    key,
    rows: drafted.rows,
    clearingMinor: clearingNet(drafted.rows, books.plan),
    clearingAccount: books.plan.clearing,
    state: 'ready',
    // A payout shows the voucher that booked it leaving; the one that booked it coming back is found in the ledger.
    ...(document.kind === 'payout' && document.payoutId ? { payoutId: document.payoutId } : {}),
    attempts: 0,
    nextTryAt: Timestamp.fromMillis(now.getTime() + firstTryMs),
    createdAt: at,
    updatedAt: at,
  };
  return { outcome: 'voucher', voucher };
}

export type DraftedRows = { ok: true; rows: VoucherRow[] } | { ok: false; reason: string };

/**
 * The rows of one ledger document: every account it moves goes to the Fortnox account the profile names, one row per
 * account, zero rows left out. As the document balances and nothing it moves is left out, the voucher balances, and its
 * clearing row is what the document moved in Stripe.
 */
export function voucherRows(document: Posted & Pick<LedgerDocument, 'stripeObjectId'>, plan: AccountPlan): DraftedRows {
  const moved = new Map<number, number>();
  for (const account of accounts) {
    const amount = document.deltas[account];
    if (amount === 0) continue;
    const target = fortnoxAccount(plan, document, account);
    if (target === undefined) {
      return {
        ok: false,
        reason: `a ${document.kind} that moves ${account} has no rule in the profile "specification"`,
      };
    }
    moved.set(target, (moved.get(target) ?? 0) + amount);
  }
  for (const { account, minor: amount } of besides(plan, document)) {
    moved.set(account, (moved.get(account) ?? 0) + amount);
  }
  const text = sanitizeText(document.stripeObjectId, rowTextMax);
  const rows = [...moved]
    .filter(([, amount]) => amount !== 0)
    .map(([account, amount]) => row(account, minor(amount), text));
  return { ok: true, rows: rows.sort(debitFirst) };
}

function row(account: number, amount: Minor, text: string): VoucherRow {
  return amount > 0
    ? { account, debitMinor: amount, creditMinor: zero, text }
    : { account, debitMinor: zero, creditMinor: minor(0 - amount), text };
}

/** The way vouchers are read: debits, then credits, each by account. */
function debitFirst(a: VoucherRow, b: VoucherRow): number {
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

/** Swedish words, Stripe's id and, always whole and last, the key. */
function describe(words: string, stripeObjectId: string, key: string): string {
  return `${sanitizeText(`${words} ${stripeObjectId}`, descriptionMax - key.length - 1)} ${key}`;
}
