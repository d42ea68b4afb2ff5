import { trialBalance, type LedgerDocument, type LedgerKind } from '../../ledger/ledger.ts';
import type { Coach } from '../../coaches/coaches.ts';
import type { Order } from '../../payments/orders/orders.ts';
import type { Payment } from '../../payments/payments.ts';
import type { Product } from '../../payments/products.ts';
import { newLosses } from '../../testing/books/office.ts';
import type { Stage } from '../../testing/weeks/stage.ts';
import type { Profile } from '../account-plan.ts';

/**
 * The trial balance that the ledger must come to in Fortnox, by each profile, worked out by hand: from the sums of the
 * ledger's accounts, of all and of each payment, and from the catalogue. Öre by account, debit positive, zeros left out.
 */
export async function expectedBalance(stage: Stage): Promise<Record<string, number>> {
  const ledger = await stage.all<LedgerDocument>('ledger');
  const { accountingProfile: profile } = stage.ctx.config;
  const balance = profile === 'specification' ? bySpecification(ledger) : await withVat(stage, profile, ledger);
  return Object.fromEntries(Object.entries(balance).filter(([, minor]) => minor !== 0));
}

/** Where a coach's share comes to be or goes back, and not where it is paid or settled. */
const sharing: ReadonlySet<LedgerKind> = new Set(['sale', 'session_completed', 'refund', 'dispute_lost']);

const isShare = ({ kind, tenant }: LedgerDocument): boolean => sharing.has(kind) && !tenant;

/** What customers pay is sales, payouts are costs; a tenant's own money only passes through Stripe. */
function bySpecification(ledger: readonly LedgerDocument[]): Record<string, number> {
  const all = trialBalance(ledger);
  const ours = trialBalance(ledger.filter((document) => !isTenants(document)));
  const tenants = trialBalance(ledger.filter(isTenants));
  const shares = trialBalance(ledger.filter(isShare));
  const tenantIds = new Set(ledger.filter(isTenants).map(({ coachId }) => coachId));
  const paidOut = ledger.filter(({ kind, coachId }) => kind.startsWith('payout') && tenantIds.has(coachId));
  const tenantsPaid = trialBalance(paidOut).coach_payable;
  return {
    ...alike(ledger),
    2899: all.customer_payable + tenants.coach_payable + tenantsPaid,
    3001: all.own_revenue + shares.coach_payable + shares.coach_receivable,
    3921: all.fee_revenue,
    5090: ours.coach_payable - shares.coach_payable - shares.coach_receivable - tenantsPaid,
    6570: all.stripe_fees,
  };
}

const isTenants = ({ tenant }: LedgerDocument): boolean => tenant === true;

/** What every profile books alike. Debts written off were booked with other losses, and corrected. */
function alike(ledger: readonly LedgerDocument[]): Record<string, number> {
  const all = trialBalance(ledger);
  const writtenOff = trialBalance(ledger.filter(({ kind }) => kind === 'write_off'));
  return {
    1686: all.stripe_platform + all.stripe_connected,
    1689: all.coach_receivable + all.dispute_held,
    1930: all.bank_platform,
    2420: all.session_held,
    6380: all.losses - writtenOff.losses,
    [newLosses]: writtenOff.losses,
  };
}

/** What is left of a payment as income, by whom it is earned. Credits made positive. */
interface Earned {
  fee: number;
  own: number;
  share: number;
}

/** An agent earns the fee, a principal the whole price and buys the coach's share; VAT is inside what is earned, once a payment. */
async function withVat(
  stage: Stage,
  profile: Exclude<Profile, 'specification'>,
  ledger: readonly LedgerDocument[],
): Promise<Record<string, number>> {
  const all = trialBalance(ledger);
  const fees = ledger.filter(({ kind }) => kind === 'fee').map(({ deltas }) => deltas.stripe_fees);
  const reverse =
    stage.ctx.config.stripeFeeVat === 'reverse_charge' ? sum(fees.map((fee) => halfUp(fee * 25, 100))) : 0;
  const balance: Record<string, number> = {
    ...alike(ledger),
    2899: all.customer_payable + all.coach_payable,
    4535: all.stripe_fees,
    2614: -reverse,
    2645: reverse,
  };
  const add = (account: number, minor: number) => void (balance[account] = (balance[account] ?? 0) + minor);
  const catalogue = await catalogueOf(stage);
  for (const [paymentId, documents] of byPayment(ledger)) {
    const { tenant, lines, isRegistered } = catalogue(paymentId, documents);
    const { fee, own, share } = earnedOf(documents);
    const mediates = profile === 'agent' || tenant;
    for (const [amount, shares] of [
      [mediates ? fee : 0, [[25, 1]]],
      [mediates ? own : fee + own + share, lines],
    ] as const) {
      for (const [rate, gross, vat] of vatOf(amount, shares)) {
        add(salesAt[rate] ?? 0, vat - gross);
        add(vatAt[rate] ?? 0, -vat);
      }
    }
    if (mediates) continue;
    const inputVat = isRegistered ? sum(vatOf(share, lines).map(([, , vat]) => vat)) : 0;
    add(4610, share - inputVat);
    add(2641, inputVat);
  }
  return balance;
}

const salesAt: Record<number, number> = { 25: 3001, 12: 3002, 6: 3003, 0: 3004 };
const vatAt: Record<number, number> = { 25: 2611, 12: 2621, 6: 2631, 0: 3004 };

function byPayment(ledger: readonly LedgerDocument[]): Map<string, LedgerDocument[]> {
  const found = new Map<string, LedgerDocument[]>();
  for (const document of ledger) {
    if (document.paymentId === undefined) continue;
    found.set(document.paymentId, [...(found.get(document.paymentId) ?? []), document]);
  }
  return found;
}

function earnedOf(documents: readonly LedgerDocument[]): Earned {
  const { fee_revenue: fee, own_revenue: own } = trialBalance(documents);
  const shares = trialBalance(documents.filter(isShare));
  return { fee: 0 - fee, own: 0 - own, share: -(shares.coach_payable + shares.coach_receivable) };
}

/** Of what a payment was for: gross by rate, the highest rate first. */
type Lines = readonly (readonly [rate: number, gross: number])[];

async function catalogueOf(stage: Stage) {
  const read = async <T>(collection: string) =>
    new Map((await stage.ctx.db.collection(collection).get()).docs.map((doc) => [doc.id, doc.data() as T]));
  const [products, orders, coaches] = [
    await read<Product>('products'),
    await read<Order>('orders'),
    await read<Coach>('coaches'),
  ];
  const payments = new Map((await stage.all<Payment>('payments')).map((payment) => [payment.stripePaymentId, payment]));
  const sessions = await read<{ productId: string }>('sessions');
  return (paymentId: string, documents: readonly LedgerDocument[]) => {
    const payment = payments.get(paymentId);
    const productId = payment?.productId ?? sessions.get(payment?.sessionId ?? '')?.productId ?? '';
    const items = orders.get(payment?.orderId ?? '')?.items ?? [{ productId, quantity: 1 }];
    const grossAt = new Map<number, number>();
    for (const item of items) {
      const { vatRate = -1, amountMinor = 0 } = products.get(item.productId) ?? {};
      grossAt.set(vatRate, (grossAt.get(vatRate) ?? 0) + item.quantity * amountMinor);
    }
    return {
      tenant: documents.some(isTenants),
      lines: [...grossAt].sort(([a], [b]) => b - a) satisfies Lines,
      isRegistered: coaches.get(payment?.coachId ?? '')?.vatNumber !== undefined,
    };
  };
}

/** An amount shared out among the rates, and the VAT inside each part, rounded half up. */
function vatOf(amount: number, lines: Lines): [rate: number, gross: number, vat: number][] {
  const whole = sum(lines.map(([, gross]) => gross));
  let until = 0;
  let given = 0;
  return lines.map(([rate, gross]) => {
    until += gross;
    // The last rate has what is left; the others are rounded down together with those before.
    const end = until === whole ? amount : Math.floor((amount * until) / whole);
    const part = end - given;
    given = end;
    return [rate, part, halfUp(part * rate, 100 + rate)];
  });
}

const halfUp = (numerator: number, denominator: number): number =>
  Math.floor((2 * numerator + denominator) / (2 * denominator));

const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);
