/** How an account is paid out: `GET` and `POST /v1/balance_settings`. */
import type Stripe from 'stripe';
import { badParam } from '../core/errors.ts';
import { emitChange } from '../core/events.ts';
import { textOrNull } from '../core/params.ts';
import type { ExpandOnly } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import { saveAccount } from './account-state.ts';
import { planPayouts } from './payout-schedule.ts';

type Payments = Stripe.BalanceSettings['payments'];
type Schedule = Stripe.BalanceSettings.Payments.Payouts.Schedule;
const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'];

/** Swedish accounts begin with this many days; the switch `cardFundsDelaySeconds` says what they are here. */
const ownDelayDays = (world: World) => Math.round(world.switches.cardFundsDelaySeconds / 86_400);

/** The settings of an account as they stand. The platform's own payouts are manual until it says otherwise. */
export function settingsOf(world: World, book: Book): Stripe.BalanceSettings {
  const kept = world.balanceSettings.get(book.account);
  const account = world.accounts.get(book.account);
  const enabled = account === undefined || account.payouts_enabled === true;
  const payments: Payments = kept?.payments ?? {
    debit_negative_balances: false,
    payouts: {
      automatic_transfer_rules_by_currency: null,
      minimum_balance_by_currency: null,
      schedule: { interval: 'manual' },
      statement_descriptor: null,
      status: 'enabled',
    },
    settlement_timing: { delay_days: ownDelayDays(world), start_of_day: null },
  };
  return {
    object: 'balance_settings',
    payments: { ...payments, payouts: { ...payments.payouts!, status: enabled ? 'enabled' : 'disabled' } },
  };
}

/** How long the money of a card payment on this account is pending, in seconds. */
export function fundsDelay(world: World, book: Book): number {
  const override = world.balanceSettings.get(book.account)?.payments.settlement_timing.delay_days_override;
  return override === undefined ? world.switches.cardFundsDelaySeconds : override * 86_400;
}

export const retrieveBalanceSettings = (world: World, book: Book, _: ExpandOnly) => settingsOf(world, book);

export function updateBalanceSettings(
  world: World,
  book: Book,
  params: Stripe.BalanceSettingsUpdateParams,
): Stripe.BalanceSettings {
  const before = settingsOf(world, book);
  const given = params.payments ?? {};
  const { payouts } = before.payments;
  const wanted = given.payouts?.schedule;
  const after: Stripe.BalanceSettings = {
    object: 'balance_settings',
    payments: {
      debit_negative_balances: given.debit_negative_balances ?? before.payments.debit_negative_balances,
      payouts: {
        ...payouts!,
        minimum_balance_by_currency: minimum(
          payouts!.minimum_balance_by_currency,
          given.payouts?.minimum_balance_by_currency,
        ),
        schedule: wanted === undefined ? payouts!.schedule : scheduleOf(wanted, 'payments[payouts][schedule]'),
        statement_descriptor:
          given.payouts?.statement_descriptor === undefined
            ? payouts!.statement_descriptor
            : textOrNull(given.payouts.statement_descriptor),
      },
      settlement_timing: timing(world, before, given.settlement_timing?.delay_days_override),
    },
  };
  saveSettings(world, book, after);
  emitChange(world, book, 'balance_settings.updated', before, after);
  return after;
}

/** Stores settings, shows them on the account as well, and plans the payouts they ask for. */
export function saveSettings(world: World, book: Book, settings: Stripe.BalanceSettings, isNew = false): void {
  world.balanceSettings.set(book.account, settings);
  planPayouts(world, book, settings.payments.payouts?.schedule ?? null);
  const account = world.accounts.get(book.account);
  if (!account?.settings) return;
  const { payouts, settlement_timing: timing, debit_negative_balances: debit } = settings.payments;
  const shown: Stripe.Account.Settings.Payouts = {
    debit_negative_balances: debit === true,
    schedule: {
      ...payouts!.schedule,
      delay_days: timing.delay_days,
      interval: payouts!.schedule?.interval ?? 'manual',
    },
    statement_descriptor: payouts!.statement_descriptor,
  };
  const patch = { settings: { ...account.settings, payouts: shown } };
  // Of an account that is just being made no event tells.
  if (isNew) world.accounts.update(account.id, patch);
  else saveAccount(world, account, patch);
}

/** A schedule as it is stored, or the refusal of one that says too little or too much. */
export function scheduleOf(
  given: {
    interval?: string | undefined;
    weekly_payout_days?: string[] | undefined;
    monthly_payout_days?: number[] | undefined;
  },
  param: string,
): Schedule {
  const { interval = 'manual', weekly_payout_days: weekly, monthly_payout_days: monthly } = given;
  if (weekly !== undefined && interval !== 'weekly') {
    throw badParam(`${param}[weekly_payout_days]`, 'weekly_payout_days needs an interval of weekly.');
  }
  if (monthly !== undefined && interval !== 'monthly') {
    throw badParam(`${param}[monthly_payout_days]`, 'monthly_payout_days needs an interval of monthly.');
  }
  switch (interval) {
    case 'manual':
    case 'daily':
      return { interval };
    case 'weekly':
      if (!weekly || weekly.length === 0 || !weekly.every((day) => WEEKDAYS.includes(day))) {
        throw badParam(`${param}[weekly_payout_days]`, `Name at least one of ${WEEKDAYS.join(', ')}.`);
      }
      return { interval, weekly_payout_days: weekly };
    case 'monthly':
      if (!monthly || monthly.length === 0 || !monthly.every((day) => day >= 1 && day <= 31)) {
        throw badParam(`${param}[monthly_payout_days]`, 'Name at least one day from 1 to 31.');
      }
      return { interval, monthly_payout_days: monthly };
    default:
      throw badParam(`${param}[interval]`, 'Invalid interval: must be one of manual, daily, weekly, or monthly');
  }
}

function minimum(
  before: Record<string, number> | null,
  given: Stripe.Emptyable<Record<string, Stripe.Emptyable<number>>> | undefined,
): Record<string, number> | null {
  if (given === undefined) return before;
  if (given === '' || given === null) return null;
  const next = { ...before };
  for (const [currency, amount] of Object.entries(given)) {
    if (typeof amount !== 'number') delete next[currency];
    else if (amount < 0)
      throw badParam(`payments[payouts][minimum_balance_by_currency][${currency}]`, 'Must be 0 or more.');
    else next[currency] = amount;
  }
  return Object.keys(next).length > 0 ? next : null;
}

function timing(
  world: World,
  before: Stripe.BalanceSettings,
  given: Stripe.Emptyable<number> | undefined,
): Stripe.BalanceSettings.Payments.SettlementTiming {
  if (given === undefined) return before.payments.settlement_timing;
  if (given === '' || given === null) return { delay_days: ownDelayDays(world), start_of_day: null };
  if (given < 0 || given > 31) {
    throw badParam('payments[settlement_timing][delay_days_override]', 'Must be between 0 and 31 days.');
  }
  return { delay_days: given, delay_days_override: given, start_of_day: null };
}
