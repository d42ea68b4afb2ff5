import type { Earning } from '../../coaches/earnings.ts';
import { customers, products } from './stage.ts';
import type { Entitlements } from '../../payments/entitlements/entitlements.ts';
import type { Checked } from './checks.ts';
import { backMinor, booksOf, idOf, sum, type Money } from './stripe-says.ts';

/** What is owed to each coach by the ledger is what their earnings say is open. */
export async function earningsDiffer({ stage, ledger }: Checked): Promise<string[]> {
  const wrong = await Promise.all(
    Object.keys(stage.accounts).map(async (coachId) => {
      const earnings = await stage.all<Earning>(`coaches/${coachId}/earnings`);
      const open = sum(earnings.map((each) => each.amountMinor - each.feeMinor - each.reversedMinor - each.paidMinor));
      const mine = ledger.filter((document) => document.coachId === coachId);
      const owed = -sum(mine.map(({ deltas }) => deltas.coach_payable + deltas.coach_receivable));
      return open === owed ? [] : [`${coachId}: earnings say ${open} is open, the ledger owes ${owed}`];
    }),
  );
  return wrong.flat();
}

/**
 * Of a payment that went back in part the coach bears their part of all of it, rounded once, in whatever parts and by
 * whatever ways it went; and what is owed to the customer is what came back of refunds.
 */
export function sharesDiffer({ ledger, payments, money }: Checked): string[] {
  return [...payments].flatMap(([id, payment]) => {
    const said = money.get(id);
    if (!said?.charge || payment.chargeModel === 'direct' || payment.held) return [];
    const mine = ledger.filter(({ paymentId }) => paymentId === id);
    const inAccount = (account: 'coach_payable' | 'coach_receivable' | 'customer_payable' | 'dispute_held') =>
      sum(mine.map(({ deltas }) => deltas[account]));
    const coach = -(inAccount('coach_payable') + inAccount('coach_receivable'));
    const gone = Math.min(goneMinor(said), said.intent.amount);
    const share = payment.coachId ? payment.coachAmountMinor : 0;
    const expected = share - Math.floor((2 * share * gone + said.intent.amount) / (2 * said.intent.amount));
    return [
      ...(coach === expected ? [] : [`payment ${id}: the coach has ${coach}, should have ${expected}`]),
      ...(-inAccount('customer_payable') === said.owedMinor
        ? []
        : [`payment ${id}: owes the customer ${-inAccount('customer_payable')}, should owe ${said.owedMinor}`]),
      ...(inAccount('dispute_held') === said.disputedMinor - said.lostMinor
        ? []
        : [`payment ${id}: holds ${inAccount('dispute_held')} for disputes`]),
    ];
  });
}

/** What of the money is away, or is owed: refunds that wait for money have taken nothing yet. */
function goneMinor({ refunds, lostMinor, owedMinor }: Money): number {
  const taken = refunds.filter((each) => each.balance_transaction !== null && each.status !== 'failed');
  return sum(taken.map(({ amount }) => amount)) + lostMinor + owedMinor;
}

/** What a tenant owes their customer since a refund failed is between the two of them. */
function here({ stage }: Pick<Checked, 'stage'>, said: Money): boolean {
  const owedMinor = said.book === stage.core.world.platform ? said.owedMinor : 0;
  return said.intent.status === 'succeeded' && backMinor({ ...said, owedMinor }) < said.intent.amount;
}

const access = ['trialing', 'active', 'past_due'];

/** What customers may use is what their money at Stripe says. */
export async function entitlementsDiffer(checked: Checked): Promise<string[]> {
  const wrong = await Promise.all(customers.map(({ uid }) => entitlementsOf(checked, uid)));
  return wrong.flat();
}

async function entitlementsOf({ stage, payments, orders, money }: Checked, uid: string): Promise<string[]> {
  const document = (await stage.ctx.db.doc(`customers/${uid}`).get()).data() as { entitlements?: Entitlements };
  const held = document?.entitlements;
  const mine = [...payments].filter(([, { userId }]) => userId === uid);
  const programmes = new Set<string>();
  const credits: string[] = [];
  for (const [id, { productId, orderId, subscriptionId }] of mine) {
    const said = money.get(id);
    if (!said || !here({ stage }, said) || subscriptionId) continue;
    const items = orderId ? (orders.get(orderId)?.items ?? []).map((item) => item.productId) : [productId ?? ''];
    for (const item of items) if (products[item]?.kind === 'programme') programmes.add(item);
    if (products[productId ?? '']?.credits) credits.push(id);
  }
  const subscribed = subscribedTo({ stage, money }, uid, await customersOf(stage, uid));
  const usable = Object.entries(held?.credits ?? {}).filter(
    ([id, { left }]) => left > 0 && products[payments.get(id)?.productId ?? '']?.kind === 'bundle',
  );
  return [
    ...listsDiffer(`${uid}'s programmes`, [...programmes], Object.keys(held?.programmes ?? {})),
    ...listsDiffer(`${uid}'s subscriptions`, subscribed, Object.keys(held?.subscriptions ?? {})),
    ...listsDiffer(
      `${uid}'s bundles`,
      credits,
      usable.map(([id]) => id),
    ),
    ...listsDiffer(`${uid}'s premium`, premium(subscribed), held?.premium ? ['premium'] : []),
  ];
}

const premium = (subscribed: readonly string[]): string[] =>
  subscribed.some((productId) => products[productId]?.coachId === undefined) ? ['premium'] : [];

/** The customer's ids at Stripe: one on the platform, one with each tenant. */
async function customersOf(stage: Checked['stage'], uid: string): Promise<Set<string>> {
  const ids = booksOf(stage).flatMap((book) => book.customers.values());
  return new Set(ids.filter(({ email }) => email === `${uid}@example.se`).map(({ id }) => id));
}

function subscribedTo({ stage, money }: Pick<Checked, 'stage' | 'money'>, _uid: string, ids: Set<string>): string[] {
  return booksOf(stage).flatMap((book) =>
    book.subscriptions.values().flatMap((subscription) => {
      if (!ids.has(idOf(subscription.customer)) || !access.includes(subscription.status)) return [];
      const paid = book.invoicePayments
        .values()
        .filter((payment) => {
          const invoice = book.invoices.get(idOf(payment.invoice));
          return idOf(invoice?.parent?.subscription_details?.subscription) === subscription.id;
        })
        .at(-1);
      const latest = money.get(idOf(paid?.payment.payment_intent));
      const returned = latest?.intent.status === 'succeeded' && !here({ stage }, latest);
      return returned ? [] : [subscription.items.data[0]?.price.metadata.productId ?? ''];
    }),
  );
}

function listsDiffer(what: string, there: readonly string[], held: readonly string[]): string[] {
  const [a, b] = [there, held].map((list) => [...new Set(list)].sort().join(', '));
  return a === b ? [] : [`${what}: the money says [${a}], we [${b}]`];
}
