/** Bank accounts that payouts go to: how one is made from an IBAN, and how an account holds several. */
import type Stripe from 'stripe';
import { badParam } from '../core/errors.ts';
import { emit, emitChange } from '../core/events.ts';
import { embedded } from '../core/list.ts';
import { mergeMetadata } from '../core/params.ts';
import { bookOf } from '../core/world.ts';
import type { World } from '../core/world.ts';

/** Stripe's Swedish test IBANs, with the failure of a payout to each. Some have no valid check digits: Stripe takes them. */
export const TEST_IBANS: Readonly<Record<string, string | null>> = {
  SE3550000000054910000003: null,
  SE0850000000054910000004: 'no_account',
  SE89370400440532013002: 'account_closed',
  SE2850000000000002222227: 'insufficient_funds',
  SE89370400440532013004: 'debit_not_authorized',
  SE89370400440532013005: 'invalid_currency',
  SE2750000000000000888883: null,
};
/** The test IBAN that takes no instant payouts. */
const NOT_INSTANT = 'SE2750000000000000888883';

export const tidyIban = (text: string): string => text.replaceAll(/\s/g, '').toUpperCase();

/** SE, 22 digits, and the check digits of ISO 13616. */
export function isSwedishIban(iban: string): boolean {
  if (!/^SE\d{22}$/.test(iban)) return false;
  let rest = 0;
  for (const digit of `${iban.slice(4)}2814${iban.slice(2, 4)}`) rest = (rest * 10 + Number(digit)) % 97;
  return rest === 1;
}

export const takesIban = (iban: string): boolean => Object.hasOwn(TEST_IBANS, iban) || isSwedishIban(iban);

export interface BankOrder {
  iban: string;
  holder: string | null;
  holderType: string | null;
  metadata?: Stripe.MetadataParam | undefined;
}

const nothingDue = () => ({ currently_due: [], errors: [], past_due: [], pending_verification: [] });

/** A bank account as the API shows it, not yet held by any account. */
export function bankOf(world: World, account: string | null, order: BankOrder): Stripe.BankAccount {
  const iban = tidyIban(order.iban);
  if (!takesIban(iban)) {
    throw badParam(
      'external_account[account_number]',
      'You must use a valid Swedish IBAN (SE and 22 digits), or one of the test IBANs that GET /_emulator lists.',
      'account_number_invalid',
    );
  }
  return {
    id: world.ids.next('ba'),
    object: 'bank_account',
    account,
    account_holder_name: order.holder,
    account_holder_type: order.holderType,
    account_type: null,
    available_payout_methods: iban === NOT_INSTANT ? ['standard'] : ['standard', 'instant'],
    bank_name: 'STRIPE TEST BANK',
    country: 'SE',
    currency: 'sek',
    default_for_currency: false,
    fingerprint: `Emulated${iban.slice(-8)}`,
    future_requirements: nothingDue(),
    last4: iban.slice(-4),
    metadata: mergeMetadata({}, order.metadata),
    requirements: nothingDue(),
    routing_number: iban.slice(4, 7),
    status: 'new',
  };
}

/** The bank accounts of a connected account, oldest first. */
export const banksOf = (world: World, account: string): Stripe.BankAccount[] =>
  (world.accounts.get(account)?.external_accounts?.data ?? []).map((each) => world.bankAccounts.get(each.id)!);

/** Stores what a connected account holds; its own `account.updated` does not repeat what their events say. */
function hold(world: World, account: string, banks: Stripe.BankAccount[]): void {
  const list = embedded<Stripe.ExternalAccount>(`/v1/accounts/${account}/external_accounts`, banks);
  world.accounts.update(account, { external_accounts: list });
}

/** Gives a connected account another bank account. The first, or one that asks for it, is the currency's default. */
export function addBank(world: World, account: string, order: BankOrder, asDefault: boolean): Stripe.BankAccount {
  const held = banksOf(world, account);
  const isDefault = asDefault || held.length === 0;
  const bank = world.bankAccounts.add({ ...bankOf(world, account, order), default_for_currency: isDefault });
  const failure = TEST_IBANS[tidyIban(order.iban)];
  if (typeof failure === 'string') world.failingBanks.set(bank.id, failure);
  const others = isDefault ? held.map((each) => undefault(world, account, each)) : held;
  hold(world, account, [...others, bank]);
  emit(world, bookOf(world, account), 'account.external_account.created', bank);
  return bank;
}

function undefault(world: World, account: string, bank: Stripe.BankAccount): Stripe.BankAccount {
  if (bank.default_for_currency !== true) return bank;
  const after = world.bankAccounts.update(bank.id, { default_for_currency: false });
  emitChange(world, bookOf(world, account), 'account.external_account.updated', bank, after);
  return after;
}

/** Changes a held bank account; one that becomes the default takes that from the others. */
export function changeBank(
  world: World,
  account: string,
  before: Stripe.BankAccount,
  patch: Partial<Stripe.BankAccount>,
): Stripe.BankAccount {
  const after = world.bankAccounts.update(before.id, patch);
  const takes = patch.default_for_currency === true && before.default_for_currency !== true;
  const held = banksOf(world, account);
  hold(
    world,
    account,
    takes ? held.map((each) => (each.id === after.id ? each : undefault(world, account, each))) : held,
  );
  emitChange(world, bookOf(world, account), 'account.external_account.updated', before, after);
  return after;
}

/** Takes a bank account away. It stays known by its id: payouts went there. */
export function removeBank(world: World, account: string, bank: Stripe.BankAccount): void {
  hold(
    world,
    account,
    banksOf(world, account).filter((each) => each.id !== bank.id),
  );
  emit(world, bookOf(world, account), 'account.external_account.deleted', bank);
}

/** A payout to it has come back: no more until it is changed or replaced. */
export function bankErrored(world: World, account: string, id: string): void {
  const before = world.bankAccounts.get(id);
  if (!before || before.status === 'errored') return;
  if (banksOf(world, account).some((each) => each.id === id)) {
    changeBank(world, account, before, { status: 'errored' });
    return;
  }
  // The platform's own, or one that was taken away while the payout was on its way.
  const after = world.bankAccounts.update(id, { status: 'errored' });
  emitChange(world, bookOf(world, account), 'account.external_account.updated', before, after);
}
