import type Stripe from 'stripe';
import { planFlag, planResolve } from '../admin/flags.service.ts';
import type { FlagInput } from '../admin/flags.ts';
import { formatMoney, minor } from '../platform/money.ts';
import { handler, nothingToFetch, type DispatchTable, type Outcome } from '../webhooks/webhooks.ts';

/** What happens to balances without us: a person hears of it, and payouts go on with what Stripe says is available. */

const applied = (writes: Extract<Outcome, { outcome: 'applied' }>['writes'] = []): Outcome => ({
  outcome: 'applied',
  writes,
});

const paidByStripe = (account: string, interval: string): FlagInput => ({
  id: `payout-schedule_${account}`,
  kind: 'payout-schedule',
  severity: 'critical',
  subject: `stripe/${account}`,
  message: `Stripe pays account ${account} out by itself (${interval}), beside the payouts that this system makes.`,
  action: 'Set the account’s payout schedule to manual in the Stripe dashboard, and book by hand what Stripe has paid.',
});

const platformPaidByStripe = (interval: string): FlagInput => ({
  id: 'payout-schedule_platform',
  kind: 'payout-schedule',
  severity: 'critical',
  subject: 'platformPayouts',
  message: `Stripe pays the platform’s balance out by itself (${interval}), with what is held for customers and coaches in it.`,
  action:
    'Set the platform’s payout schedule to manual in the Stripe dashboard and use payPlatform, which leaves others’ money behind.',
});

/** Settings go back and forth, so they are asked for. */
const settingsChanged = handler<{ interval: string | null } | null>({
  async fetch(ctx, event) {
    const stripe = await ctx.stripe();
    const options = event.account ? { stripeAccount: event.account } : undefined;
    const { payments } = await stripe.balanceSettings.retrieve({}, options);
    return { interval: payments.payouts?.schedule?.interval ?? null };
  },
  async plan(ctx, tx, event, fetched) {
    const interval = fetched?.interval ?? 'manual';
    const flagId = `payout-schedule_${event.account ?? 'platform'}`;
    if (interval === 'manual') return applied(await planResolve(ctx, tx, flagId, 'The schedule is manual.'));
    const flag = event.account ? paidByStripe(event.account, interval) : platformPaidByStripe(interval);
    return applied(await planFlag(ctx, tx, flag));
  },
});

const heldBack = (hold: Stripe.Reserve.Hold, account: string | undefined): FlagInput => ({
  id: `reserve-hold_${hold.id}`,
  kind: 'reserve-hold',
  severity: 'warning',
  subject: `stripe/${hold.id}`,
  message: `${formatMoney(minor(hold.amount), hold.currency.toUpperCase())} of ${account ? `account ${account}` : 'the platform'} is held in reserve (${hold.reason}).`,
  action:
    'See in the Stripe dashboard why and until when. Payouts are smaller meanwhile; the daily reconciliation names the held money as a difference.',
});

const held = handler<null>({
  fetch: nothingToFetch,
  async plan(ctx, tx, event) {
    return applied(await planFlag(ctx, tx, heldBack(event.data.object as Stripe.Reserve.Hold, event.account)));
  },
});

export const balanceEvents: DispatchTable = {
  'balance_settings.updated': settingsChanged,
  'reserve.hold.created': held,
  'reserve.hold.updated': held,
};
