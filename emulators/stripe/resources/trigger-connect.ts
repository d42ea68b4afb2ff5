/**
 * The triggers of Connect. `account` beside `type` names the connected account it happens to; without it one is made and
 * onboarded. What else is given goes into the main request.
 */
import { deauthorize } from './account-life.ts';
import { accountNamed } from './account-state.ts';
import { completeOnboarding } from './onboarding.ts';
import { disableAccount } from './requirements.ts';
import type { Trigger, TriggerTools } from './trigger-tools.ts';
import { Untriggered } from './trigger-tools.ts';

const WORKS = 'SE3550000000054910000003';
const FAILS = 'SE0850000000054910000004';
const EMAIL = 'triggered@example.com';
const WEEK = 7 * 86_400;

/** Of the overrides, those of the main request. */
function wanted(tools: TriggerTools): object {
  const { account: _, ...rest } = tools.overrides;
  return rest;
}

/** For triggers without a main request of their own: an override would be lost. */
function nothingWanted(tools: TriggerTools): void {
  const names = Object.keys(wanted(tools));
  if (names.length > 0) throw new Untriggered(`This trigger takes only 'account', not '${names.join("', '")}'.`);
}

/** Fills in the hosted form. Its bank account takes the place of those that were. */
const onboard = (tools: TriggerTools, id: string, iban: string): void =>
  completeOnboarding(tools.core.world, id, {
    firstName: 'Astrid',
    lastName: 'Lind',
    email: EMAIL,
    phone: '+46701234567',
    birthDate: '1985-04-12',
    street: 'Storgatan 1',
    postalCode: '111 22',
    city: 'Stockholm',
    iban,
  });

/** The account that was named, or a new one with this bank account. */
function accountFor(tools: TriggerTools, iban = WORKS): string {
  const { account } = tools.overrides;
  if (typeof account === 'string') return accountNamed(tools.core.world, account).id;
  const { id } = tools.post('/v1/accounts', {
    country: 'SE',
    email: EMAIL,
    controller: { fees: { payer: 'application' }, losses: { payments: 'application' } },
    capabilities: { transfers: { requested: true } },
    settings: { payouts: { schedule: { interval: 'manual' } } },
  });
  onboard(tools, id, iban);
  return id;
}

/** A payment to the platform whose money is there. */
const sell = (tools: TriggerTools, more: object = {}, card = 'bypassPending') =>
  tools.post('/v1/payment_intents', {
    amount: 49_900,
    currency: 'sek',
    payment_method: `pm_card_${card}`,
    confirm: true,
    ...more,
  });

function transfer(tools: TriggerTools, overrides: object = wanted(tools)): string {
  const source = sell(tools).latest_charge;
  const destination = accountFor(tools);
  const params = { amount: 40_000, currency: 'sek', destination, source_transaction: source, ...overrides };
  return tools.post('/v1/transfers', params).id;
}

const share = (tools: TriggerTools, account: string, more: object = {}, card?: string) =>
  sell(tools, { application_fee_amount: 9_900, transfer_data: { destination: account }, ...more }, card);

/** A payout of 400 SEK, and time until it is where it should be. */
function payout(tools: TriggerTools, seconds = 0, iban = WORKS): { account: string; id: string } {
  const account = accountFor(tools, iban);
  share(tools, account);
  const { id } = tools.post('/v1/payouts', { amount: 40_000, currency: 'sek', ...wanted(tools) }, { account });
  if (seconds > 0) tools.advance(seconds);
  return { account, id };
}

function addBank(tools: TriggerTools, account: string, more: object = wanted(tools)): string {
  const bank = { object: 'bank_account', country: 'SE', currency: 'sek', account_number: WORKS };
  return tools.post(`/v1/accounts/${account}/external_accounts`, { external_account: bank, ...more }).id;
}

const restricted: Trigger = (tools) => {
  nothingWanted(tools);
  const id = accountFor(tools);
  const { world } = tools.core;
  disableAccount(world, accountNamed(world, id), { due: ['individual.verification.document'] });
};

export const connectTriggers: Readonly<Record<string, Trigger>> = {
  'account.updated': (tools) =>
    void tools.post(`/v1/accounts/${accountFor(tools)}`, { metadata: { triggered: 'yes' }, ...wanted(tools) }),
  'capability.updated': restricted,
  'account.application.deauthorized': (tools) => {
    nothingWanted(tools);
    deauthorize(tools.core.world, accountFor(tools));
  },
  'account.external_account.created': (tools) => void addBank(tools, accountFor(tools)),
  'account.external_account.updated': (tools) => {
    const account = accountFor(tools);
    const bank = addBank(tools, account, {});
    const path = `/v1/accounts/${account}/external_accounts/${bank}`;
    tools.post(path, { metadata: { triggered: 'yes' }, ...wanted(tools) });
  },
  'account.external_account.deleted': (tools) => {
    nothingWanted(tools);
    onboard(tools, accountFor(tools), WORKS);
  },
  'transfer.created': (tools) => void transfer(tools),
  'transfer.updated': (tools) =>
    void tools.post(`/v1/transfers/${transfer(tools, {})}`, { metadata: { triggered: 'yes' }, ...wanted(tools) }),
  'transfer.reversed': (tools) => void tools.post(`/v1/transfers/${transfer(tools, {})}/reversals`, wanted(tools)),
  'application_fee.created': (tools) => void share(tools, accountFor(tools), wanted(tools)),
  'application_fee.refunded': (tools) => {
    const { id } = share(tools, accountFor(tools));
    const params = { payment_intent: id, reverse_transfer: true, refund_application_fee: true, ...wanted(tools) };
    tools.post('/v1/refunds', params);
  },
  'balance.available': (tools) => {
    share(tools, accountFor(tools), wanted(tools), 'visa');
    tools.advance(tools.core.world.switches.cardFundsDelaySeconds);
  },
  'balance_settings.updated': (tools) => {
    const payments = { payouts: { schedule: { interval: 'weekly', weekly_payout_days: ['monday'] } } };
    tools.post('/v1/balance_settings', { payments, ...wanted(tools) }, { account: accountFor(tools) });
  },
  'payout.created': (tools) => void payout(tools),
  'payout.updated': (tools) => void payout(tools, tools.core.world.switches.payoutInTransitAfterSeconds),
  'payout.paid': (tools) => void payout(tools, WEEK),
  'payout.failed': (tools) => void payout(tools, WEEK + tools.core.world.switches.payoutFailsAfterPaidSeconds, FAILS),
  'payout.canceled': (tools) => {
    const { account, id } = payout(tools);
    tools.post(`/v1/payouts/${id}/cancel`, {}, { account });
  },
  'payout.reconciliation_completed': (tools) => {
    const account = accountFor(tools);
    share(tools, account);
    const payments = { payouts: { schedule: { interval: 'daily' }, ...wanted(tools) } };
    tools.post('/v1/balance_settings', { payments }, { account });
    tools.advance(WEEK);
  },
};
