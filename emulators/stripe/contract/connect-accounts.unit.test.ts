import type Stripe from 'stripe';
import { DAY, FORM, newAccount, onboardedCoach, refusal, sellProgramme, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
beforeEach(async () => {
  bench = await startBench();
  stripe = bench.stripe;
});
afterEach(() => bench.close());

const FAILING = 'SE0850000000054910000004';
const bank = (account_number: string): Stripe.AccountCreateExternalAccountParams.BankAccount => ({
  object: 'bank_account',
  account_number,
  country: 'SE',
  currency: 'sek',
  account_holder_name: 'Astrid Lind',
});
const typesOf = async (account: string): Promise<string[]> =>
  (await stripe.events.list({ limit: 100 }, { stripeAccount: account })).data.map((event) => event.type).reverse();
const payOut = (account: string, more: Partial<Stripe.PayoutCreateParams> = {}) =>
  stripe.payouts.create({ amount: 10_000, currency: 'sek', ...more }, { stripeAccount: account });

describe('bank accounts', () => {
  it('are added, listed, made the default, changed and deleted', async () => {
    const coach = await onboardedCoach(stripe);
    const [first] = (await stripe.accounts.listExternalAccounts(coach)).data;
    const second = await stripe.accounts.createExternalAccount(coach, {
      external_account: bank('SE28 5000 0000 0000 0222 2227'),
      metadata: { for: 'savings' },
    });
    expect(second).toMatchObject({ last4: '2227', default_for_currency: false, metadata: { for: 'savings' } });
    await stripe.accounts.updateExternalAccount(coach, second.id, { default_for_currency: true });
    const { data } = await stripe.accounts.listExternalAccounts(coach, { limit: 1 });
    expect(data).toMatchObject([{ id: second.id, default_for_currency: true }]);
    const next = await stripe.accounts.listExternalAccounts(coach, { starting_after: second.id });
    expect(next.data).toMatchObject([{ id: first?.id, default_for_currency: false }]);
    expect((await refusal(stripe.accounts.deleteExternalAccount(coach, second.id))).message).toContain('default');
    expect(await stripe.accounts.deleteExternalAccount(coach, first!.id)).toMatchObject({ deleted: true });
    expect((await refusal(stripe.accounts.retrieveExternalAccount(coach, first!.id))).statusCode).toBe(404);
    expect((await stripe.accounts.retrieve(coach)).external_accounts?.data.map((each) => each.id)).toEqual([second.id]);
    expect((await typesOf(coach)).slice(-4)).toEqual([
      'account.external_account.created',
      'account.external_account.updated',
      'account.external_account.updated',
      'account.external_account.deleted',
    ]);
  });

  it('come from a token, once', async () => {
    const coach = await onboardedCoach(stripe);
    const token = await stripe.tokens.create({
      bank_account: { account_number: FAILING, country: 'SE', account_holder_name: 'Astrid Lind' },
    });
    expect(token).toMatchObject({ type: 'bank_account', used: false, bank_account: { last4: '0004' } });
    const added = await stripe.accounts.createExternalAccount(coach, { external_account: token.id });
    expect(added).toMatchObject({ last4: '0004', account_holder_name: 'Astrid Lind' });
    expect((await stripe.tokens.retrieve(token.id)).used).toBe(true);
    const again = await refusal(stripe.accounts.createExternalAccount(coach, { external_account: token.id }));
    expect(again.code).toBe('token_already_used');
    const card = await refusal(stripe.accounts.createExternalAccount(coach, { external_account: 'tok_visa_debit' }));
    expect(card.code).toBe('emulator_unsupported');
    const wrong = await refusal(stripe.accounts.createExternalAccount(coach, { external_account: bank('SE00') }));
    expect(wrong.code).toBe('account_number_invalid');
  });

  it.each([
    [FAILING, 'no_account'],
    ['SE89370400440532013002', 'account_closed'],
    ['SE2850000000000002222227', 'insufficient_funds'],
    ['SE89370400440532013004', 'debit_not_authorized'],
    ['SE89370400440532013005', 'invalid_currency'],
  ])('%s fails payouts with %s, and pays again once its holder is put right', async (iban, code) => {
    const coach = await onboardedCoach(stripe);
    await sellProgramme(stripe, coach);
    const added = await stripe.accounts.createExternalAccount(coach, { external_account: bank(iban) });
    await payOut(coach, { destination: added.id });
    await bench.advance(8 * DAY);
    const [payout] = (await stripe.payouts.list({ destination: added.id }, { stripeAccount: coach })).data;
    expect(payout).toMatchObject({ status: 'failed', failure_code: code });
    expect(await stripe.accounts.retrieveExternalAccount(coach, added.id)).toMatchObject({ status: 'errored' });
    expect((await refusal(payOut(coach, { destination: added.id }))).code).toBe('payouts_not_allowed');
    // The other one still takes money.
    expect((await payOut(coach)).status).toBe('pending');
    await stripe.accounts.updateExternalAccount(coach, added.id, { account_holder_name: 'A. Lind' });
    expect((await payOut(coach, { destination: added.id })).status).toBe('pending');
  });
});

describe('payouts in depth', () => {
  it('are instant where the bank account takes them', async () => {
    const coach = await onboardedCoach(stripe);
    await sellProgramme(stripe, coach);
    const [instant] = (await stripe.balance.retrieve({}, { stripeAccount: coach })).instant_available ?? [];
    expect(instant).toMatchObject({ amount: 40_000, currency: 'sek' });
    const payout = await payOut(coach, { method: 'instant', metadata: { run: '1' } });
    expect(payout).toMatchObject({ method: 'instant', arrival_date: payout.created + 1_800 });
    await bench.advance(1_800);
    const paid = await stripe.payouts.update(payout.id, { metadata: { run: '2' } }, { stripeAccount: coach });
    expect(paid).toMatchObject({ status: 'paid', metadata: { run: '2' }, trace_id: { status: 'supported' } });
    expect(paid.trace_id?.value).toMatch(/^\d{15}$/);
    expect((await refusal(stripe.payouts.reverse(payout.id, {}, { stripeAccount: coach }))).message).toContain('US');
    const other = await onboardedCoach(stripe, 'SE2750000000000000888883');
    await sellProgramme(stripe, other);
    expect((await refusal(payOut(other, { method: 'instant' }))).code).toBe('instant_payouts_unsupported');
    expect((await payOut(other)).method).toBe('standard');
  });

  it.each([
    'account_frozen',
    'bank_account_restricted',
    'bank_ownership_changed',
    'could_not_process',
    'declined',
    'incorrect_account_holder_name',
    'invalid_account_number',
    'unsupported_card',
  ])('fail with %s when the control API says so, until it is mended', async (code) => {
    const coach = await onboardedCoach(stripe);
    await sellProgramme(stripe, coach);
    await bench.control('POST', `/accounts/${coach}`, { payout_failure_code: code });
    const payout = await payOut(coach);
    await bench.advance(8 * DAY);
    const failed = await stripe.payouts.retrieve(payout.id, {}, { stripeAccount: coach });
    expect(failed).toMatchObject({ status: 'failed', failure_code: code });
    await bench.control('POST', `/accounts/${coach}`, { payout_failure_code: null });
    const again = await payOut(coach);
    await bench.advance(8 * DAY);
    expect((await stripe.payouts.retrieve(again.id, {}, { stripeAccount: coach })).status).toBe('paid');
  });

  it('happen by themselves on the days of the schedule, above the minimum', async () => {
    const coach = await onboardedCoach(stripe);
    const on = { stripeAccount: coach };
    await sellProgramme(stripe, coach);
    const settings = await stripe.balanceSettings.update(
      {
        payments: {
          payouts: {
            schedule: { interval: 'weekly', weekly_payout_days: ['monday'] },
            minimum_balance_by_currency: { sek: 10_000 },
            statement_descriptor: 'COACH',
          },
        },
      },
      on,
    );
    expect(settings.payments.payouts).toMatchObject({
      schedule: { interval: 'weekly', weekly_payout_days: ['monday'] },
      minimum_balance_by_currency: { sek: 10_000 },
      status: 'enabled',
    });
    expect((await stripe.accounts.retrieve(coach)).settings?.payouts?.schedule.interval).toBe('weekly');
    expect(await typesOf(coach)).toContain('balance_settings.updated');
    await bench.advance(7 * DAY);
    const { data } = await stripe.payouts.list({}, on);
    expect(data).toMatchObject([{ amount: 30_000, automatic: true, statement_descriptor: 'COACH' }]);
    expect(new Date(data[0]!.created * 1000).getUTCDay()).toBe(1);
    const covered = await stripe.balanceTransactions.list({ payout: data[0]!.id }, on);
    expect(covered.data.map((txn) => txn.type)).toEqual(['payout', 'payment']);
    expect(await typesOf(coach)).toContain('payout.reconciliation_completed');
    await bench.advance(21 * DAY);
    expect((await stripe.payouts.list({}, on)).data).toHaveLength(1);
    await stripe.balanceSettings.update({ payments: { payouts: { schedule: { interval: 'manual' } } } }, on);
    const manual = await payOut(coach);
    const listed = await refusal(stripe.balanceTransactions.list({ payout: manual.id }, on));
    expect(listed.message).toContain('automatic');
  });
});

describe('balance settings', () => {
  it('are kept, shown and refused by name', async () => {
    const coach = await onboardedCoach(stripe);
    const on = { stripeAccount: coach };
    expect(await stripe.balanceSettings.retrieve({}, on)).toMatchObject({
      payments: { payouts: { schedule: { interval: 'manual' } }, settlement_timing: { delay_days: 7 } },
    });
    const changed = await stripe.balanceSettings.update(
      { payments: { debit_negative_balances: true, settlement_timing: { delay_days_override: 3 } } },
      on,
    );
    expect(changed.payments).toMatchObject({
      debit_negative_balances: true,
      settlement_timing: { delay_days: 3, delay_days_override: 3 },
    });
    const cleared = await stripe.balanceSettings.update(
      { payments: { settlement_timing: { delay_days_override: '' } } },
      on,
    );
    expect(cleared.payments.settlement_timing).toEqual({ delay_days: 7, start_of_day: null });
    const refuse = (payments: Stripe.BalanceSettingsUpdateParams.Payments) =>
      refusal(stripe.balanceSettings.update({ payments }, on));
    expect((await refuse({ settlement_timing: { delay_days_override: 32 } })).param).toContain('delay_days_override');
    expect((await refuse({ payouts: { schedule: { interval: 'weekly' } } })).param).toContain('weekly_payout_days');
    const saturday = { interval: 'weekly', weekly_payout_days: ['saturday'] };
    expect((await refuse({ payouts: { schedule: saturday } })).param).toContain('weekly_payout_days');
    expect((await stripe.balanceSettings.retrieve()).payments.payouts?.schedule?.interval).toBe('manual');
  });
});

describe('accounts', () => {
  it('are paid out daily unless they say otherwise', async () => {
    const controller = { fees: { payer: 'application' }, losses: { payments: 'application' } } as const;
    const account = await stripe.accounts.create({
      country: 'SE',
      controller,
      capabilities: { transfers: { requested: true } },
      external_account: { ...bank(FORM.iban), currency: 'sek' },
    });
    expect(account.settings?.payouts?.schedule.interval).toBe('daily');
    expect(account.requirements?.currently_due).not.toContain('external_account');
    expect(account.external_accounts?.data).toMatchObject([{ last4: '0003', default_for_currency: true }]);
    await stripe.accounts.update(account.id, { settings: { payouts: { schedule: { interval: 'manual' } } } });
    const settings = await stripe.balanceSettings.retrieve({}, { stripeAccount: account.id });
    expect(settings.payments.payouts?.schedule).toEqual({ interval: 'manual' });
  });

  it('request capabilities and give them up', async () => {
    const coach = await onboardedCoach(stripe);
    expect((await stripe.accounts.retrieveCapability(coach, 'card_payments')).status).toBe('unrequested');
    const card = await stripe.accounts.updateCapability(coach, 'card_payments', { requested: true });
    expect(card).toMatchObject({ id: 'card_payments', requested: true, status: 'active' });
    const { data } = await stripe.accounts.listCapabilities(coach);
    expect(data.map((each) => [each.id, each.status])).toEqual([
      ['transfers', 'active'],
      ['card_payments', 'active'],
    ]);
    await stripe.accounts.updateCapability(coach, 'transfers', { requested: false });
    expect((await stripe.accounts.retrieve(coach)).capabilities).toEqual({ card_payments: 'active' });
    const unknown = await refusal(stripe.accounts.updateCapability(coach, 'swish_payments', { requested: true }));
    expect(unknown.code).toBe('resource_missing');
  });

  it('are rejected and taken back', async () => {
    const coach = await onboardedCoach(stripe);
    const rejected = await stripe.accounts.reject(coach, { reason: 'terms_of_service' });
    expect(rejected).toMatchObject({
      charges_enabled: false,
      payouts_enabled: false,
      capabilities: { transfers: 'inactive' },
      requirements: { disabled_reason: 'rejected.platform_terms_of_service' },
    });
    expect((await refusal(sellProgramme(stripe, coach))).code).toBe('insufficient_capabilities_for_transfer');
    expect(await stripe.accounts.unreject(coach)).toMatchObject({ payouts_enabled: true });
    expect((await refusal(stripe.accounts.unreject(coach))).message).toContain('rejected by your platform');
  });

  it('are deleted when nothing is left on them', async () => {
    const coach = await onboardedCoach(stripe);
    await sellProgramme(stripe, coach);
    expect((await refusal(stripe.accounts.del(coach))).message).toContain('balance');
    await payOut(coach, { amount: 40_000 });
    expect(await stripe.accounts.del(coach)).toEqual(expect.objectContaining({ id: coach, deleted: true }));
    expect((await refusal(stripe.accounts.retrieve(coach))).code).toBe('account_invalid');
    expect((await refusal(stripe.balance.retrieve({}, { stripeAccount: coach }))).statusCode).toBe(403);
    expect((await stripe.accounts.list()).data).toEqual([]);
    // What was on its way arrives all the same.
    await bench.advance(8 * DAY);
  });

  it('are restricted by the control API, warned of it, and enabled again', async () => {
    const coach = await onboardedCoach(stripe);
    await sellProgramme(stripe, coach);
    const due = ['individual.verification.document'];
    const { now } = await bench.control<{ now: number }>('GET', '/clock');
    await bench.control('POST', `/accounts/${coach}`, { requirements: due, current_deadline: now + 7 * DAY });
    expect(await stripe.accounts.retrieve(coach)).toMatchObject({
      payouts_enabled: true,
      requirements: { currently_due: due, past_due: [], current_deadline: now + 7 * DAY, disabled_reason: null },
    });
    // The day comes, and nothing was given.
    await bench.advance(7 * DAY);
    expect(await stripe.accounts.retrieve(coach)).toMatchObject({
      payouts_enabled: false,
      requirements: { past_due: due, disabled_reason: 'requirements.past_due' },
    });
    expect((await refusal(payOut(coach))).code).toBe('payouts_not_allowed');
    await bench.control('POST', `/accounts/${coach}`, { enable: true, payouts_enabled: false });
    expect(await stripe.accounts.retrieve(coach)).toMatchObject({ charges_enabled: true, payouts_enabled: false });
    await bench.control('POST', `/accounts/${coach}`, { disabled_reason: 'rejected.fraud' });
    expect((await refusal(stripe.accounts.unreject(coach))).statusCode).toBe(400);
    await expect(bench.control('POST', `/accounts/${coach}`, { disabled_reason: 'bogus' })).rejects.toThrow('one of');
    await expect(bench.control('POST', `/accounts/${coach}`, { bogus: 1 })).rejects.toThrow('bogus');
    await expect(bench.control('POST', '/accounts/acct_none', { enable: true })).rejects.toThrow('acct_none');
  });

  it('are gone when they took the access away', async () => {
    const coach = await onboardedCoach(stripe);
    await bench.control('POST', `/accounts/${coach}`, { deauthorize: true });
    const { data } = await bench.control<{ data: Stripe.Event[] }>('GET', `/events?account=${coach}`);
    expect(data.at(-1)).toMatchObject({
      type: 'account.application.deauthorized',
      account: coach,
      data: { object: { object: 'application', name: 'Inner Journey' } },
    });
    expect((await refusal(stripe.accounts.retrieve(coach))).code).toBe('account_invalid');
    expect((await refusal(sellProgramme(stripe, coach))).code).toBe('resource_missing');
  });

  it('are the one of the request', async () => {
    const coach = await onboardedCoach(stripe);
    expect((await stripe.accounts.retrieveCurrent({}, { stripeAccount: coach })).id).toBe(coach);
    expect((await refusal(stripe.accounts.retrieveCurrent())).code).toBe('emulator_unsupported');
    const on = { stripeAccount: coach };
    expect((await stripe.accounts.retrieve(coach, {}, on)).id).toBe(coach);
    expect((await stripe.accounts.listExternalAccounts(coach, {}, on)).data).toHaveLength(1);
    const other = await newAccount(stripe);
    expect((await refusal(stripe.accounts.retrieve(other.id, {}, on))).code).toBe('account_invalid');
  });

  it('refuse v2 loudly', async () => {
    const error = await refusal(stripe.v2.core.accounts.create({ contact_email: 'coach@example.se' }));
    expect(error.statusCode).toBe(404);
  });
});

describe('ways in', () => {
  it('are a login link, used once, and sessions of components', async () => {
    const fresh = await newAccount(stripe);
    expect((await refusal(stripe.accounts.createLoginLink(fresh.id))).message).toContain('onboarding');
    const coach = await onboardedCoach(stripe);
    await sellProgramme(stripe, coach);
    const { url } = await stripe.accounts.createLoginLink(coach);
    expect(await (await fetch(url)).text()).toContain('400.00 SEK');
    expect((await fetch(url)).status).toBe(404);
    const session = await stripe.accountSessions.create({
      account: coach,
      components: {
        account_onboarding: { enabled: true },
        payouts: { enabled: true, features: { instant_payouts: false } },
      },
    });
    expect(session).toMatchObject({
      account: coach,
      components: {
        account_onboarding: { enabled: true },
        payouts: { enabled: true, features: { instant_payouts: false, standard_payouts: true } },
        payments: { enabled: false, features: { refund_management: false } },
      },
    });
    expect(session.client_secret).toMatch(/^accs_secret_/);
    expect(session.expires_at).toBeGreaterThan(Date.now() / 1000);
    const none = await refusal(stripe.accountSessions.create({ account: coach, components: {} }));
    expect(none.param).toBe('components');
  });
});
