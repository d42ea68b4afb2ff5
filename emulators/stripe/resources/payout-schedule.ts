/** Payouts that happen by themselves, on the days an account's schedule names. */
import type Stripe from 'stripe';
import { fundsOf } from '../core/balance.ts';
import { emit } from '../core/events.ts';
import type { Book, World } from '../core/world.ts';
import { MINIMUM_PAYOUT } from './money.ts';
import { defaultBank, makePayout } from './payouts.ts';

type Schedule = Stripe.BalanceSettings.Payments.Payouts.Schedule;
const DAY = 86_400;
const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

/** The first midnight (UTC) after a moment on which a schedule pays out; undefined for a manual one. */
export function nextPayoutDay(schedule: Schedule | null, after: number): number | undefined {
  if (!schedule?.interval || schedule.interval === 'manual') return undefined;
  for (let at = (Math.floor(after / DAY) + 1) * DAY, i = 0; i < 62; at += DAY, i++) {
    if (isDue(schedule, new Date(at * 1000))) return at;
  }
  return undefined;
}

function isDue(schedule: Schedule, day: Date): boolean {
  const name = DAYS[day.getUTCDay()]!;
  switch (schedule.interval) {
    case 'daily':
      return name !== 'saturday' && name !== 'sunday';
    case 'weekly':
      return schedule.weekly_payout_days?.includes(name) === true;
    case 'monthly': {
      const last = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 0)).getUTCDate();
      // A month without the day pays out on its last one.
      return schedule.monthly_payout_days?.some((each) => Math.min(each, last) === day.getUTCDate()) === true;
    }
    default:
      return false;
  }
}

/** Plans the next payout. A plan made before no longer counts. */
export function planPayouts(world: World, book: Book, schedule: Schedule | null): void {
  const at = nextPayoutDay(schedule, world.now);
  if (at === undefined) {
    world.connect.payoutPlans.delete(book.account);
    return;
  }
  const id = world.ids.next('plan');
  world.connect.payoutPlans.set(book.account, id);
  world.timers.add({ at, kind: 'payout_schedule', account: book.account, id });
}

/** The day has come: pays out what is available above the minimum, unless there is nowhere or nothing to pay. */
export function payoutDay(world: World, book: Book, id: string): void {
  if (world.connect.payoutPlans.get(book.account) !== id) return;
  const { payouts } = world.balanceSettings.get(book.account)!.payments;
  planPayouts(world, book, payouts?.schedule ?? null);
  const bank = defaultBank(world, book);
  const amount = fundsOf(book, 'sek').available - (payouts?.minimum_balance_by_currency?.sek ?? 0);
  if (!bank || bank.status === 'errored' || amount < MINIMUM_PAYOUT) return;
  // What moved since the last automatic payout belongs to this one.
  const covered = book.balanceTransactions
    .values()
    .filter((txn) => txn.status === 'available' && !world.connect.paidOutBy.has(txn.id));
  const descriptor = payouts?.statement_descriptor ?? null;
  const payout = makePayout(world, book, { amount, bank, automatic: true, method: 'standard', descriptor });
  for (const txn of covered) world.connect.paidOutBy.set(txn.id, payout.id);
  world.connect.paidOutBy.set(payout.balance_transaction as string, payout.id);
  const reconciled = book.payouts.update(payout.id, { reconciliation_status: 'completed' });
  emit(world, book, 'payout.reconciliation_completed', reconciled);
}
