import type { Documents } from './firestore-rest.ts';
import type { StripeSide } from './emulators.ts';

/** What the story made, by the product's own replies. */
export interface Made {
  stripeAccountId: string;
  payment: { id: string; amountMinor: number; platformFeeMinor: number; coachAmountMinor: number; status: string };
  subscription: { id: string; status: string; amountMinor: number };
  payout: { id: string; amountMinor: number; status: string; fortnoxReference: string | null };
}

/** The design's trial balance after one programme at 499 and one month of premium at 99. */
const expectedBooks: Record<string, number> = { 1686: 18_542, 3001: -49_900, 3921: -9_900, 5090: 40_000, 6570: 1_258 };

/**
 * Every invariant of the story. Balances and books are asked of the emulators over HTTP, never of the product; the
 * product's documents are read under the rules with an administrator's token.
 */
export async function checkInvariants(
  made: Made,
  books: Record<string, number>,
  world: { stripe: StripeSide; documents: Documents; adminToken: string; reconciliationDate: string },
): Promise<Record<string, boolean>> {
  const { stripe, documents, adminToken } = world;
  const [platform, coach, payouts, undelivered, vouchers, flags, reconciliation] = await Promise.all([
    stripe.balance(),
    stripe.balance(made.stripeAccountId),
    stripe.payouts(made.stripeAccountId),
    stripe.undelivered(),
    documents.list('vouchers', adminToken),
    documents.list('flags', adminToken),
    documents.read(`reconciliations/${world.reconciliationDate}`, adminToken),
  ]);
  const { payment, subscription, payout } = made;
  return {
    'the sale of 499,00 kr is split 99,00 + 400,00':
      payment.amountMinor === 49_900 &&
      payment.platformFeeMinor === 9_900 &&
      payment.coachAmountMinor === 40_000 &&
      payment.status === 'succeeded',
    'the subscription of 99,00 kr is active': subscription.amountMinor === 9_900 && subscription.status === 'active',
    'the payout of 400,00 kr is completed': payout.amountMinor === 40_000 && payout.status === 'completed',
    'the payout has its Fortnox reference': payout.fortnoxReference !== null,
    'Stripe: the platform holds 185,42 kr': platform.available + platform.pending === 18_542,
    'Stripe: the coach account is empty': coach.available + coach.pending === 0,
    'Stripe: the coach was paid exactly once':
      payouts.length === 1 && payouts[0]?.amount === 40_000 && payouts[0].status === 'paid',
    'Stripe: every event was delivered': undelivered === 0,
    'Fortnox: the trial balance is the expected one':
      JSON.stringify(sorted(books)) === JSON.stringify(sorted(expectedBooks)),
    'Fortnox: debits equal credits': Object.values(books).reduce((sum, minor) => sum + minor, 0) === 0,
    'Fortnox: five vouchers, each posted once':
      vouchers.length === 5 &&
      vouchers.every(({ fields }) => fields.state === 'posted') &&
      new Set(vouchers.map(({ fields }) => fields.fortnoxReference)).size === 5,
    'Stripe, ledger and Fortnox agree (reconciliation)': reconciliation?.ok === true,
    'nothing waits for a person': flags.every(({ fields }) => fields.status !== 'open'),
  };
}

const sorted = (balance: Record<string, number>): [string, number][] =>
  Object.entries(balance).sort(([a], [b]) => (a < b ? -1 : 1));
