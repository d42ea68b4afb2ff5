import { Timestamp } from 'firebase-admin/firestore';
import { deltas, type Account, type LedgerEntry, type LedgerKind } from '../../ledger/ledger.ts';
import { minor } from '../../platform/money.ts';

/** One day's ledger: every kind there is, and of each how much of a hundred documents, as on a busy day. 0: one of it. */

type Share = readonly [kind: LedgerKind, share: number, moved: Partial<Record<Account, number>>];

const sold = { stripe_platform: 9_900, stripe_connected: 40_000, coach_payable: -40_000, fee_revenue: -9_900 };
const taken = { stripe_platform: 40_000, stripe_connected: -40_000, coach_payable: 40_000, coach_receivable: -40_000 };

const shares: readonly Share[] = [
  ['fee', 45, { stripe_fees: 929, stripe_platform: -929 }],
  ['own_sale', 10, { stripe_platform: 9_900, own_revenue: -9_900 }],
  ['session_paid', 3, { stripe_platform: 60_000, session_held: -60_000 }],
  ['session_completed', 3, { session_held: 60_000, coach_payable: -48_000, fee_revenue: -12_000 }],
  ['transfer', 3, { stripe_connected: 48_000, stripe_platform: -48_000 }],
  ['payout', 2, { coach_payable: 40_000, stripe_connected: -40_000 }],
  ['refund', 1, { stripe_platform: -49_900, coach_receivable: 40_000, fee_revenue: 9_900 }],
  ['transfer_reversal', 1, taken],
  ['fee_refund', 0.5, { stripe_platform: -99, stripe_connected: 99, coach_payable: -99, coach_receivable: 99 }],
  [
    'direct_sale',
    3,
    { stripe_connected: 80_000, coach_payable: -80_000, stripe_platform: 20_000, fee_revenue: -20_000 },
  ],
  ['dispute_withdrawn', 0.4, { dispute_held: 49_900, stripe_platform: -49_900 }],
  ['dispute_reinstated', 0.2, { dispute_held: -49_900, stripe_platform: 49_900 }],
  ['dispute_lost', 0.2, { coach_receivable: 40_000, fee_revenue: 9_900, dispute_held: -49_900 }],
  ['refund_failed', 0.2, { stripe_platform: 49_900, customer_payable: -49_900 }],
  ['payout_returned', 0.2, { coach_payable: -40_000, stripe_connected: 40_000 }],
  ['platform_payout', 0, { bank_platform: 100_000, stripe_platform: -100_000 }],
  ['write_off', 0.1, { losses: 500, coach_receivable: -500 }],
  ['reserve', 0, { dispute_held: 10_000, stripe_platform: -10_000 }],
  ['topup', 0, { stripe_platform: 100_000, bank_platform: -100_000 }],
  ['adjustment', 0, { losses: 500, stripe_platform: -500 }],
  // The rest, and more than one commit's.
  ['sale', 27, sold],
];

/** So many documents, spread over the day that begins then. At least one of each kind. */
export function* dayOf(documents: number, begins: Date): Generator<LedgerEntry> {
  const sums = shares.map(([, share]) => share).reduce((sum, share) => sum + share, 0);
  let left = documents - shares.length;
  for (const [at, [kind, share, moved]] of shares.entries()) {
    const more = at === shares.length - 1 ? left : Math.min(left, Math.floor((share / sums) * documents));
    left -= more;
    for (let n = 0; n <= more; n++)
      yield entry(kind, n, moved, new Date(begins.getTime() + ((n * 8_640) % 86_400) * 1_000));
  }
}

function entry(kind: LedgerKind, n: number, moved: Share[2], occurredAt: Date): LedgerEntry {
  // As long as Stripe's own ids: they fill the lists and the documents.
  const stripeObjectId = `${kind.slice(0, 2)}_${String(n).padStart(24, '0')}`;
  return {
    id: `${stripeObjectId}:${kind}`,
    kind,
    occurredAt: Timestamp.fromDate(occurredAt),
    currency: 'SEK',
    deltas: deltas(moved),
    parts: { grossMinor: minor(49_900), coachMinor: minor(40_000), feeMinor: minor(9_900), vatRate: 25 },
    ...(kind === 'direct_sale' ? { tenant: true } : {}),
    coachId: `coach-${String(n % 997).padStart(22, '0')}`,
    paymentId: `pi_${String(n).padStart(24, '0')}`,
    stripeObjectId,
    balanceTransactionIds: [`txn_${kind}_${n}`],
  };
}
