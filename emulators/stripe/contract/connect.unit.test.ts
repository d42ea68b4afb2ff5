import type Stripe from 'stripe';
import {
  DAY,
  FORM,
  newAccount,
  newLink,
  onboardedCoach,
  refusal,
  sellProgramme,
  startBench,
  submitForm,
} from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
beforeEach(async () => {
  bench = await startBench();
  stripe = bench.stripe;
});
afterEach(() => bench.close());

const typesOf = async (account: string): Promise<string[]> =>
  (await stripe.events.list({ limit: 100 }, { stripeAccount: account })).data.map((event) => event.type).reverse();

describe('onboarding', () => {
  it('begins restricted and ends enabled, through the hosted page', async () => {
    const account = await newAccount(stripe);
    expect(account).toMatchObject({
      charges_enabled: false,
      payouts_enabled: false,
      details_submitted: false,
      capabilities: { transfers: 'inactive' },
      requirements: { disabled_reason: 'requirements.past_due' },
      metadata: { uid: 'coach1' },
    });
    expect(account.requirements?.currently_due).toContain('external_account');
    const link = await newLink(stripe, account.id);
    expect(link.expires_at - link.created).toBe(300);
    const page = await fetch(link.url);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('name="iban"');
    const sent = await submitForm(link.url);
    expect([sent.status, sent.headers.get('location')]).toEqual([303, 'https://inner.example/return']);
    const after = await stripe.accounts.retrieve(account.id);
    expect(after).toMatchObject({
      charges_enabled: true,
      payouts_enabled: true,
      details_submitted: true,
      capabilities: { transfers: 'active' },
      requirements: { currently_due: [], disabled_reason: null },
    });
    expect(after.external_accounts?.data[0]).toMatchObject({
      object: 'bank_account',
      country: 'SE',
      currency: 'sek',
      last4: '0003',
      status: 'new',
    });
    expect(await typesOf(account.id)).toEqual([
      'account.external_account.created',
      'capability.updated',
      'account.updated',
    ]);
    const [updated] = (await stripe.events.list({ type: 'account.updated' }, { stripeAccount: account.id })).data;
    expect(updated).toMatchObject({
      account: account.id,
      data: { previous_attributes: { charges_enabled: false, capabilities: { transfers: 'inactive' } } },
    });
    // The platform's own list does not show them.
    expect((await stripe.events.list({ type: 'account.updated' })).data).toEqual([]);
  });

  it('uses a link once, and not after it expired', async () => {
    const account = await newAccount(stripe);
    const once = await newLink(stripe, account.id);
    await fetch(once.url);
    const second = await fetch(once.url, { redirect: 'manual' });
    expect([second.status, second.headers.get('location')]).toEqual([303, 'https://inner.example/refresh']);
    // The form that was opened may still be sent, once.
    expect((await submitForm(once.url)).headers.get('location')).toBe('https://inner.example/return');
    expect((await submitForm(once.url)).headers.get('location')).toBe('https://inner.example/refresh');
    const late = await newLink(stripe, account.id);
    await bench.advance(301);
    expect((await fetch(late.url, { redirect: 'manual' })).headers.get('location')).toBe(
      'https://inner.example/refresh',
    );
    expect((await fetch(`${bench.emulator.url}/_hosted/onboarding/link_none`)).status).toBe(404);
  });

  it('shows what is wrong with a form and changes nothing', async () => {
    const account = await newAccount(stripe);
    const link = await newLink(stripe, account.id);
    const answer = await submitForm(link.url, { iban: 'SE00 1234', firstName: '<b>' });
    expect(answer.status).toBe(422);
    const page = await answer.text();
    expect(page).toContain('valid Swedish IBAN');
    expect(page).toContain('&lt;b&gt;');
    expect((await stripe.accounts.retrieve(account.id)).details_submitted).toBe(false);
    expect((await submitForm(link.url)).status).toBe(303);
  });

  it('verifies after a while when the switch says so', async () => {
    await bench.control('POST', '/switches', { onboardingVerificationDelaySeconds: DAY });
    const coach = await onboardedCoach(stripe);
    expect(await stripe.accounts.retrieve(coach)).toMatchObject({
      details_submitted: true,
      payouts_enabled: false,
      capabilities: { transfers: 'pending' },
      requirements: { disabled_reason: 'requirements.pending_verification' },
    });
    await bench.advance(DAY);
    expect(await stripe.accounts.retrieve(coach)).toMatchObject({
      payouts_enabled: true,
      capabilities: { transfers: 'active' },
    });
  });

  it('refuses what the emulator has not, and follows the switches of what is unconfirmed', async () => {
    const error = await refusal(
      stripe.accounts.create({
        country: 'SE',
        controller: { fees: { payer: 'account' }, losses: { payments: 'application' } },
      }),
    );
    expect(error.param).toBe('controller');
    await bench.control('POST', '/switches', {
      transfersRequireCardPayments: true,
      chargesEnabledWithoutCardPayments: false,
    });
    expect((await refusal(newAccount(stripe))).param).toBe('capabilities');
    await bench.control('POST', '/switches', { transfersRequireCardPayments: false });
    const coach = await onboardedCoach(stripe);
    expect(await stripe.accounts.retrieve(coach)).toMatchObject({ charges_enabled: false, payouts_enabled: true });
  });

  it('updates and lists accounts', async () => {
    const account = await newAccount(stripe);
    const updated = await stripe.accounts.update(account.id, {
      metadata: { store: 's1' },
      business_profile: { url: 'https://inner.example' },
    });
    expect(updated).toMatchObject({
      metadata: { uid: 'coach1', store: 's1' },
      business_profile: { url: 'https://inner.example' },
    });
    expect((await stripe.accounts.list()).data.map((each) => each.id)).toEqual([account.id]);
    expect((await refusal(stripe.accounts.retrieve('acct_none'))).code).toBe('account_invalid');
  });
});

describe('payouts', () => {
  const payOut = (coach: string, amount = 40_000, more: Partial<Stripe.PayoutCreateParams> = {}) =>
    stripe.payouts.create({ amount, currency: 'sek', ...more }, { stripeAccount: coach });

  it('are pending, in transit, then paid', async () => {
    const coach = await onboardedCoach(stripe);
    await sellProgramme(stripe, coach);
    const payout = await payOut(coach, 40_000, {
      metadata: { run: '2026-11-23' },
      statement_descriptor: 'INNER JOURNEY',
      expand: ['balance_transaction'],
    });
    expect(payout).toMatchObject({
      status: 'pending',
      automatic: false,
      metadata: { run: '2026-11-23' },
      statement_descriptor: 'INNER JOURNEY',
    });
    expect(payout.balance_transaction).toMatchObject({ type: 'payout', amount: -40_000, net: -40_000 });
    expect((await stripe.balance.retrieve({}, { stripeAccount: coach })).available[0]?.amount).toBe(0);
    await bench.advance(3_600);
    expect((await stripe.payouts.retrieve(payout.id, {}, { stripeAccount: coach })).status).toBe('in_transit');
    expect((await refusal(stripe.payouts.cancel(payout.id, {}, { stripeAccount: coach }))).statusCode).toBe(400);
    await bench.control('POST', '/clock', { now: payout.arrival_date });
    const [paid] = (await stripe.payouts.list({ status: 'paid' }, { stripeAccount: coach })).data;
    expect(paid?.id).toBe(payout.id);
    expect((await typesOf(coach)).slice(-3)).toEqual(['payout.created', 'payout.updated', 'payout.paid']);
    await bench.advance(10 * DAY);
    expect((await stripe.payouts.retrieve(payout.id, {}, { stripeAccount: coach })).status).toBe('paid');
  });

  it('fail after they were paid when the bank has no such account, and the money comes back', async () => {
    const coach = await onboardedCoach(stripe, 'SE0850000000054910000004');
    await sellProgramme(stripe, coach);
    const payout = await payOut(coach);
    await bench.control('POST', '/clock', { now: payout.arrival_date });
    expect((await stripe.payouts.retrieve(payout.id, {}, { stripeAccount: coach })).status).toBe('paid');
    await bench.advance(DAY);
    const failed = await stripe.payouts.retrieve(
      payout.id,
      { expand: ['failure_balance_transaction'] },
      { stripeAccount: coach },
    );
    expect(failed).toMatchObject({ status: 'failed', failure_code: 'no_account' });
    expect(failed.failure_balance_transaction).toMatchObject({
      type: 'payout_failure',
      net: 40_000,
      source: payout.id,
    });
    expect((await stripe.balance.retrieve({}, { stripeAccount: coach })).available[0]?.amount).toBe(40_000);
    const types = await typesOf(coach);
    expect(types.slice(types.indexOf('payout.paid'))).toEqual([
      'payout.paid',
      'payout.failed',
      'account.external_account.updated',
    ]);
    expect((await stripe.accounts.retrieve(coach)).external_accounts?.data[0]).toMatchObject({ status: 'errored' });
    expect((await refusal(payOut(coach))).code).toBe('payouts_not_allowed');
    // A new bank account mends it.
    await submitForm((await newLink(stripe, coach)).url, { iban: FORM.iban });
    expect((await payOut(coach)).status).toBe('pending');
  });

  it('have each step at its own moment, however far the clock jumps', async () => {
    const coach = await onboardedCoach(stripe, 'SE0850000000054910000004');
    await sellProgramme(stripe, coach);
    const payout = await payOut(coach);
    await bench.advance(30 * DAY);
    const steps = (await stripe.events.list({ type: 'payout.*', limit: 100 }, { stripeAccount: coach })).data.reverse();
    expect(steps.map((event) => [event.type, event.created])).toEqual([
      ['payout.created', payout.created],
      ['payout.updated', payout.created + 3_600],
      ['payout.paid', payout.arrival_date],
      ['payout.failed', payout.arrival_date + DAY],
    ]);
    expect(steps.map((event) => (event.data.object as Stripe.Payout).status)).toEqual([
      'pending',
      'in_transit',
      'paid',
      'failed',
    ]);
    expect(steps[1]).toMatchObject({ data: { previous_attributes: { status: 'pending' } }, request: { id: null } });
  });

  it('are canceled while pending', async () => {
    const coach = await onboardedCoach(stripe);
    await sellProgramme(stripe, coach);
    const payout = await payOut(coach);
    expect((await stripe.payouts.cancel(payout.id, {}, { stripeAccount: coach })).status).toBe('canceled');
    expect((await stripe.balance.retrieve({}, { stripeAccount: coach })).available[0]?.amount).toBe(40_000);
    const { data } = await stripe.balanceTransactions.list({ source: payout.id }, { stripeAccount: coach });
    expect(data.map((txn) => [txn.type, txn.net])).toEqual([
      ['payout_cancel', 40_000],
      ['payout', -40_000],
    ]);
    await bench.advance(5 * DAY);
    expect((await stripe.payouts.retrieve(payout.id, {}, { stripeAccount: coach })).status).toBe('canceled');
  });

  it('are looked for with their balance transactions where there are none', async () => {
    const coach = await onboardedCoach(stripe);
    const expand = ['data.balance_transaction', 'data.failure_balance_transaction'];
    expect((await stripe.payouts.list({ expand }, { stripeAccount: coach })).data).toEqual([]);
  });

  it('are refused by name', async () => {
    const coach = await onboardedCoach(stripe);
    await sellProgramme(stripe, coach);
    expect((await refusal(payOut(coach, 1_999))).code).toBe('amount_too_small');
    expect((await refusal(payOut(coach, 40_001))).code).toBe('balance_insufficient');
    expect((await refusal(payOut(coach, 40_000, { statement_descriptor: 'x'.repeat(23) }))).param).toBe(
      'statement_descriptor',
    );
    expect((await refusal(payOut(coach, 40_000, { destination: 'ba_none' }))).code).toBe('resource_missing');
    const restricted = await newAccount(stripe);
    expect((await refusal(payOut(restricted.id))).code).toBe('payouts_not_allowed');
    expect((await stripe.balance.retrieve({}, { stripeAccount: coach })).available[0]?.amount).toBe(40_000);
  });

  it("are the platform's as well", async () => {
    await stripe.paymentIntents.create({
      amount: 9_900,
      currency: 'sek',
      payment_method: 'pm_card_bypassPending',
      confirm: true,
    });
    const payout = await stripe.payouts.create({ amount: 9_571, currency: 'sek' });
    await bench.control('POST', '/clock', { now: payout.arrival_date });
    expect((await stripe.payouts.retrieve(payout.id)).status).toBe('paid');
    expect((await stripe.balance.retrieve()).available[0]?.amount).toBe(0);
    expect((await stripe.events.list({ types: ['payout.paid'] })).data).toHaveLength(1);
  });
});
