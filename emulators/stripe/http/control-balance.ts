/** What Stripe moves on a balance of its own accord: its monthly fee, a reserve, a top-up, a correction. */
import type Stripe from 'stripe';
import { post } from '../core/balance.ts';
import { bookOf } from '../core/world.ts';
import type { World } from '../core/world.ts';

export const MOVEMENT_FIELDS = [
  'type',
  'amount',
  'fee',
  'currency',
  'account',
  'description',
  'source',
  'balance_type',
] as const;

type Order = Partial<Record<(typeof MOVEMENT_FIELDS)[number], unknown>>;

/** Types that only Stripe makes, with what Stripe's reports call them; the others come of what is asked through the API. */
const CATEGORIES: Readonly<Record<string, string>> = {
  adjustment: 'other_adjustment',
  connect_collection_transfer: 'connect_collection_transfer',
  contribution: 'contribution',
  payment_network_reserve_hold: 'risk_reserved_funds',
  payment_network_reserve_release: 'risk_reserved_funds',
  payout_minimum_balance_hold: 'payout_minimum_balance_hold',
  payout_minimum_balance_release: 'payout_minimum_balance_release',
  reserve_hold: 'risk_reserved_funds',
  reserve_release: 'risk_reserved_funds',
  reserve_transaction: 'connect_reserved_funds',
  reserved_funds: 'risk_reserved_funds',
  stripe_fee: 'fee',
  stripe_fx_fee: 'fee',
  tax_fee: 'tax',
  topup: 'topup',
  topup_reversal: 'topup_reversal',
};

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

function problem({ type, amount, fee, currency, account, description, source, balance_type: balance }: Order) {
  if (!isText(type)) return `'type' is one of Stripe's, such as ${Object.keys(CATEGORIES).join(', ')}.`;
  if (!Number.isSafeInteger(amount)) return `'amount' is in öre, negative for what leaves the balance.`;
  if (fee !== undefined && !Number.isSafeInteger(fee)) return `'fee' is in öre.`;
  const texts = { currency, account, description, source, balance_type: balance };
  const wrong = Object.entries(texts).find(([, value]) => value !== undefined && !isText(value));
  return wrong ? `'${wrong[0]}' is a text.` : undefined;
}

/**
 * Moves the balance of the platform, or of the connected account that is named; what it moves is available at once.
 * @returns the balance transaction, or a text that says what is wrong with the order; then nothing was moved.
 */
export function moveBalance(world: World, order: Order): Stripe.BalanceTransaction | string {
  const wrong = problem(order);
  if (wrong !== undefined) return wrong;
  const { type, amount, fee = 0, currency = 'sek', account, description = null, source = null, balance_type } = order;
  if (account !== undefined && !world.books.has(account as string)) return `There is no account ${account as string}.`;
  const details = { amount: fee as number, application: null, currency: currency as string, description: null };
  return post(world, account === undefined ? world.platform : bookOf(world, account as string), {
    type: type as Stripe.BalanceTransaction['type'],
    reportingCategory: CATEGORIES[type as string] ?? (type as string),
    amount: amount as number,
    fee: fee as number,
    feeDetails: fee === 0 ? [] : [{ ...details, type: 'stripe_fee' }],
    currency: currency as string,
    source: source as string | null,
    ...(balance_type === undefined ? {} : { balanceType: balance_type as string }),
    availableOn: world.now,
    description: description as string | null,
  });
}
