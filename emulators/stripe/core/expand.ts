/** `expand[]`: ids replaced by the objects they name, along paths such as `data.latest_charge.balance_transaction`. */
import { linesOfOrder } from '../resources/billing/checkout.ts';
import { badParam } from './errors.ts';
import { embedded } from './list.ts';
import type { Book, World } from './world.ts';

/** What may be expanded, by kind of object. A field that is null, or absent, stays so. */
const EXPANDABLE: Readonly<Record<string, readonly string[]>> = {
  payment_intent: ['customer', 'latest_charge', 'payment_method', 'review'],
  setup_intent: ['customer', 'payment_method'],
  refund: ['balance_transaction', 'charge', 'failure_balance_transaction', 'payment_intent', 'transfer_reversal'],
  transfer_reversal: ['balance_transaction', 'destination_payment_refund', 'source_refund', 'transfer'],
  fee_refund: ['balance_transaction', 'fee'],
  dispute: ['charge', 'payment_intent'],
  review: ['charge', 'payment_intent'],
  'radar.early_fraud_warning': ['charge', 'payment_intent'],
  charge: [
    'application_fee',
    'balance_transaction',
    'customer',
    'payment_intent',
    'refunds',
    'review',
    'source_transfer',
    'transfer',
  ],
  balance_transaction: ['source'],
  transfer: ['balance_transaction', 'destination', 'destination_payment', 'source_transaction'],
  application_fee: ['account', 'balance_transaction', 'charge', 'originating_transaction'],
  payout: ['balance_transaction', 'destination', 'failure_balance_transaction'],
  subscription: [
    'customer',
    'default_payment_method',
    'discounts',
    'latest_invoice',
    'pending_setup_intent',
    'test_clock',
  ],
  invoice: ['confirmation_secret', 'customer', 'default_payment_method', 'discounts', 'payments', 'test_clock'],
  invoiceitem: ['customer', 'invoice', 'test_clock'],
  discount: ['customer', 'promotion_code'],
  promotion_code: ['customer'],
  'checkout.session': ['customer', 'invoice', 'line_items', 'payment_intent', 'setup_intent', 'subscription'],
  'billing_portal.session': ['configuration'],
  invoice_payment: ['invoice'],
  price: ['product'],
  product: ['default_price'],
  payment_method: ['customer'],
  bank_account: ['account'],
  customer: ['test_clock'],
};
/** Ids inside a part of an object that has no kind of its own. */
const NESTED = [
  'payment_intent',
  'destination',
  'subscription',
  'default_payment_method',
  'price',
  'product',
  'coupon',
  'promotion_code',
];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The body with every path expanded; the stored objects stay as they are. */
export function expanded(world: World, book: Book, body: object, paths: readonly string[] | undefined): object {
  let result: unknown = body;
  for (const path of paths ?? []) {
    const steps = path.split('.');
    if (steps.length > 5) throw badParam('expand', `You cannot expand more than 4 levels of a property (${path}).`);
    result = walk(world, book, result, steps, path);
  }
  return result as object;
}

function walk(world: World, book: Book, value: unknown, steps: string[], path: string): unknown {
  const [step, ...rest] = steps;
  if (step === undefined || value === null || value === undefined) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => walk(world, book, item, steps, path));
  if (!isObject(value)) throw notExpandable(path);
  const found = included(book, value, step) ?? value[step];
  const may =
    typeof value.object === 'string' && value.object !== 'list'
      ? EXPANDABLE[value.object]?.includes(step) === true
      : NESTED.includes(step);
  if (found === undefined || found === null) {
    if (!may) throw notExpandable(path);
    return value;
  }
  let next: unknown = found;
  if (typeof found === 'string') {
    const object = may ? world.index.get(found)?.get(found) : undefined;
    if (!object) throw notExpandable(path);
    next = object;
  } else if (Array.isArray(found) && found.length > 0 && found.every((each) => typeof each === 'string')) {
    if (!may) throw notExpandable(path);
    next = found.map((each) => world.index.get(each)?.get(each) ?? each);
  } else if (typeof found !== 'object') {
    throw notExpandable(path);
  }
  return { ...value, [step]: walk(world, book, next, rest, path) };
}

/** Fields of an invoice, a charge and a Checkout Session that come only when they are asked for. */
function included(book: Book, value: Record<string, unknown>, step: string): unknown {
  if (value.object === 'charge' && step === 'refunds' && typeof value.id === 'string') {
    return embedded(`/v1/charges/${value.id}/refunds`, [...book.refunds.walk({ group: value.id })]);
  }
  if (value.object === 'checkout.session' && step === 'line_items' && typeof value.id === 'string') {
    return embedded(
      `/v1/checkout/sessions/${value.id}/line_items`,
      linesOfOrder(book, book.billing.orders.get(value.id)!),
    );
  }
  if (value.object !== 'invoice' || typeof value.id !== 'string') return undefined;
  if (step !== 'payments' && step !== 'confirmation_secret') return undefined;
  const payments = [...book.invoicePayments.walk({ group: value.id })];
  if (step === 'payments') return embedded(`/v1/invoices/${value.id}/payments`, payments);
  const intent = payments[0]?.payment.payment_intent;
  const secret = typeof intent === 'string' ? book.paymentIntents.get(intent)?.client_secret : undefined;
  return typeof secret !== 'string' ? null : { client_secret: secret, type: 'payment_intent' };
}

/** Steps that lead on without being expanded themselves. */
const THROUGH = ['data', 'items', 'lines', 'parent', 'payment', 'pricing', 'price_details', 'subscription_details'];
const STEPS = new Set([
  ...Object.values(EXPANDABLE).flat(),
  ...NESTED,
  ...THROUGH,
  'invoice_settings',
  'promotion',
  'source',
  'transfer_data',
]);

/** Refuses a path with a step that nothing has, before anything is done. */
export function requireKnownSteps(paths: readonly string[] | undefined): void {
  for (const path of paths ?? []) {
    if (!path.split('.').every((step) => STEPS.has(step))) throw notExpandable(path);
  }
}

const notExpandable = (path: string) =>
  badParam(
    'expand',
    `This property cannot be expanded (${path}). The emulator expands what Stripe does of the fields it has.`,
  );
