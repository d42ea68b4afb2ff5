import { FAULT_KINDS } from '../../../../emulators/fortnox/index.ts';
import { getJson } from '../../../../scripts/story/http.ts';
import type { Flag } from '../../admin/flags.ts';
import { trialBalance, type LedgerDocument, type LedgerKind } from '../../ledger/ledger.ts';
import { playBooks, type Books } from '../../testing/books/play.ts';
import type { Reconciliation } from '../../reconciliation/run.ts';
import type { Voucher } from '../accounting.ts';

/**
 * Two months of trade, synced every night against a Fortnox that drops its answer after committing, fails, limits, refuses
 * tokens, locks a period, has an account switched off and a year that nobody has created. `BOOKS_SEED`: another trade.
 */
const seed = Number(process.env.BOOKS_SEED ?? 1);

const expected = [
  ...FAULT_KINDS.map((kind) => `fortnox: ${kind}`),
  ...[
    'postVoucher threw',
    'postVoucher stopped',
    'voucher rejected',
    'step: refund',
    'step: sale that will be disputed',
  ],
  ...['step: session completed', 'step: payout of the platform'],
  ...['period-locked', 'financial-year-missing', 'voucher-rejected', 'fortnox-unauthorized'],
];

/** Where a coach's share comes to be or goes back, and not where it is paid or settled. */
const sharing: ReadonlySet<LedgerKind> = new Set(['sale', 'session_completed', 'refund', 'dispute_lost']);

/** The profile `specification`, worked out from the ledger by hand: what customers pay is sales, payouts are costs. */
function expectedBalance(ledger: readonly LedgerDocument[]): Record<string, number> {
  const all = trialBalance(ledger);
  const shares = trialBalance(ledger.filter(({ kind }) => sharing.has(kind)));
  return {
    1686: all.stripe_platform + all.stripe_connected,
    1689: all.coach_receivable + all.dispute_held,
    1930: all.bank_platform,
    2420: all.session_held,
    2899: all.customer_payable,
    3001: all.own_revenue + shares.coach_payable + shares.coach_receivable,
    3921: all.fee_revenue,
    5090: all.coach_payable - shares.coach_payable - shares.coach_receivable,
    6380: all.losses,
    6570: all.stripe_fees,
  };
}

const nonZero = (balance: Record<string, number>) =>
  Object.fromEntries(Object.entries(balance).filter(([, minor]) => minor !== 0));

/** What is wrong with the books; nothing, when they are right. */
async function wrong({ stage, fortnox }: Books): Promise<string[]> {
  const [vouchers, ledger] = [await stage.all<Voucher>('vouchers'), await stage.all<LedgerDocument>('ledger')];
  const inFortnox = fortnox.core.state().vouchers;
  const found: string[] = [];
  const named = vouchers.flatMap(({ id, ledgerIds }) => ledgerIds.map((ledgerId) => [ledgerId, id] as const));
  const byDocument = new Map(named);
  if (byDocument.size !== named.length) found.push('a document is in two vouchers');
  for (const { id, kind, voucherId } of ledger) {
    const isNone = kind === 'transfer' && voucherId === 'none';
    if (!isNone && (voucherId === null || byDocument.get(id) !== voucherId)) found.push(`${id}: ${voucherId}`);
  }
  for (const { id, state, error, list } of vouchers) {
    if (state !== 'posted') found.push(`${id} is ${state}: ${error ?? ''}`);
    if (list && list.state !== 'attached') found.push(`the list of ${id} is ${list.state}`);
  }
  for (const { key, id } of vouchers) {
    const there = inFortnox.filter(({ description }) => description.endsWith(key)).length;
    if (there !== 1) found.push(`${id} is in Fortnox ${there} times`);
  }
  if (inFortnox.length !== vouchers.length) found.push(`${inFortnox.length} of ${vouchers.length} are in Fortnox`);
  for (const { number, rows } of inFortnox) {
    if (rows.reduce((sum, { debitOre, creditOre }) => sum + debitOre - creditOre, 0) !== 0)
      found.push(`${number} does not balance`);
  }
  const [proof] = await stage.all<Reconciliation>('reconciliations');
  if (!proof?.ok) found.push(`the proof: ${JSON.stringify(proof?.differences)}`);
  return found;
}

it.each(['transaction', 'day'] as const)(
  'two months by %s: every document is in one voucher, once in Fortnox, and its trial balance is the ledger’s',
  async (grouping) => {
    Error.stackTraceLimit = 1;
    const books = await playBooks(seed, grouping);
    const { stage, fortnox, counts } = books;
    try {
      const ledger = await stage.all<LedgerDocument>('ledger');
      const balance = await getJson<Record<string, number>>(`${fortnox.url}/_emulator/trial-balance`);
      const flags = new Set((await stage.all<Flag>('flags')).map(({ kind }) => kind));
      console.info(ledger.length, JSON.stringify([...counts].sort()), [...flags].join());
      // Each must occur, or the months prove less than they say.
      expect([...counts.keys(), ...flags]).toEqual(expect.arrayContaining(expected));
      expect({ seed: `BOOKS_SEED=${seed}`, wrong: await wrong(books), balance: nonZero(balance) }).toEqual({
        seed: `BOOKS_SEED=${seed}`,
        wrong: [],
        balance: nonZero(expectedBalance(ledger)),
      });
    } finally {
      await fortnox.close();
    }
  },
  120_000,
);
