import type { Firestore } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { completeOnboarding } from '../../../emulators/stripe/index.ts';
import { accountNamed } from '../../../emulators/stripe/resources/account-state.ts';
import { announceDue, disableAccount } from '../../../emulators/stripe/resources/requirements.ts';
import type { Flag } from '../admin/flags.ts';
import { deltas } from '../ledger/ledger.ts';
import { days, hours, minutes } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import type { Letter } from '../platform/mail.ts';
import { createTestWorld, type TestWorld } from '../testing/world.ts';
import { receiveEvent, releaseParked } from '../webhooks/webhooks.service.ts';
import { createAccountSession, createLoginLink } from './access.service.ts';
import type { Coach } from './coaches.ts';
import { accountPath, coachByAccount, pageOfCoaches, readCoach } from './coaches.service.ts';
import { startOnboarding } from './onboarding.service.ts';
import { coachStatus } from './status.service.ts';

const karin = { uid: 'karin', email: 'karin@example.se', coach: true, admin: false };
const addresses = { returnUrl: 'http://127.0.0.1:5000/return', refreshUrl: 'http://127.0.0.1:5000/refresh' };
const form = {
  firstName: 'Karin',
  lastName: 'Coach',
  email: karin.email,
  phone: '+46700000000',
  birthDate: '1980-01-01',
  street: 'Gatan 1',
  postalCode: '11122',
  city: 'Stockholm',
  iban: 'SE3550000000054910000003',
};

type Gate = (operation: string, path: string) => Promise<void> | void;
let beforeOperation: Gate;
let afterOperation: Gate;
const forever = () => new Promise<void>(() => undefined);

let world: TestWorld;
let ctx: Context;
let db: Firestore;

beforeEach(async () => {
  beforeOperation = afterOperation = () => undefined;
  world = await createTestWorld({
    firestore: {
      onAwait: (operation, path) => beforeOperation(operation, path),
      onReply: (operation, path) => afterOperation(operation, path),
    },
  });
  ctx = world.ctx;
  db = ctx.db;
});

afterEach(() => world.close());

const start = () => startOnboarding(ctx, karin, addresses);
const accounts = async () => (await world.stripe.accounts.list({ limit: 100 })).data;
const coach = async () => {
  const found = await readCoach(ctx, 'karin');
  if (!found) throw new Error('There is no coach.');
  return found;
};
const finishForm = (account: string, changed: Partial<typeof form> = {}) =>
  completeOnboarding(world.stripeEmulator.core.world, account, { ...form, ...changed });
const fault = (kind: string, path: string, times = 1) =>
  world.control('stripe', 'faults', { kind, method: 'POST', path, times });
const flags = async () => (await db.collection('flags').get()).docs.map((doc) => (doc.data() as Flag).kind);

describe('startCoachOnboarding', () => {
  it('makes the coach, one manual Express account and a link, and the same account with a fresh link again', async () => {
    const first = await start();
    expect(first.reply.onboardingUrl).toMatch(/^http/);
    expect(new Date(first.reply.expiresAt).getTime()).toBeGreaterThan(world.now().getTime());
    expect(first.created).toEqual([accountPath(first.reply.stripeAccountId)]);
    expect(await coach()).toMatchObject({
      stripeAccountId: first.reply.stripeAccountId,
      accountStatus: 'pending',
      acceptsPayments: false,
      currency: 'SEK',
      country: 'SE',
      terms: { feePercent: 20, feeFixedMinor: 0, feeRounding: 'whole', chargeModel: 'destination' },
      payoutSettings: { cadence: 'weekly', minimumMinor: 2_000 },
    });
    const [account] = await accounts();
    expect(account).toMatchObject({
      email: karin.email,
      metadata: { uid: 'karin' },
      controller: {
        fees: { payer: 'application' },
        losses: { payments: 'application' },
        stripe_dashboard: { type: 'express' },
      },
    });
    expect(account?.settings?.payouts?.schedule.interval).toBe('manual');
    const second = await start();
    expect(second.reply.stripeAccountId).toBe(first.reply.stripeAccountId);
    expect(second.reply.onboardingUrl).not.toBe(first.reply.onboardingUrl);
    expect(second.created).toEqual([]);
    expect(await accounts()).toHaveLength(1);
  });

  it('called five times at once makes one account', async () => {
    const settled = await Promise.allSettled(Array.from({ length: 5 }, start));
    const ids = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value.reply.stripeAccountId] : []));
    expect(new Set(ids).size).toBe(1);
    expect(await accounts()).toHaveLength(1);
  });

  it.each([
    ['with the address changed meanwhile', 0],
    ["past the key's life", hours(30)],
  ])('after an answer that never came finds the account: %s', async (_what, later) => {
    await fault('timeout_after_success', '/v1/accounts', 3);
    await expect(start()).rejects.toMatchObject({ code: 'unavailable', reason: 'stripe-unavailable' });
    expect(await coach()).toMatchObject({ accountStatus: 'none', accountAsked: { email: karin.email } });
    if (later > 0) await world.advance(later);
    const again = await startOnboarding(ctx, { ...karin, email: 'new@example.se' }, addresses);
    expect((await accounts()).map(({ id }) => id)).toEqual([again.reply.stripeAccountId]);
  });

  it("past the key's life with no account at Stripe makes one, even for two at once", async () => {
    await fault('timeout_before', '/v1/accounts', 6);
    await expect(start()).rejects.toMatchObject({ reason: 'stripe-unavailable' });
    await fetch(`${world.stripeEmulator.url}/_emulator/faults`, { method: 'DELETE' });
    await world.advance(hours(30));
    await Promise.allSettled([start(), start()]);
    expect(await accounts()).toHaveLength(1);
    expect((await start()).reply.stripeAccountId).toBe((await accounts())[0]?.id);
  });

  it.each(['before', 'after'] as const)(
    'stopped at any await %s the database answers, makes one account',
    async (when) => {
      let reached = true;
      for (let stop = 1; reached; stop++) {
        const caller = { ...karin, uid: `coach-${when}-${stop}` };
        let seen = 0;
        reached = false;
        await new Promise<void>((done, failed) => {
          const gate: Gate = () => {
            if (++seen !== stop) return undefined;
            reached = true;
            done();
            return forever();
          };
          if (when === 'before') beforeOperation = gate;
          else afterOperation = gate;
          startOnboarding(ctx, caller, addresses).then(() => done(), failed);
        });
        beforeOperation = afterOperation = () => undefined;
        await startOnboarding(ctx, caller, addresses);
        expect(await accounts()).toHaveLength(stop);
      }
    },
  );

  it('takes cards along where Stripe gives no transfers without them', async () => {
    await world.control('stripe', 'switches', { transfersRequireCardPayments: true });
    const { reply } = await start();
    expect((await start()).reply.stripeAccountId).toBe(reply.stripeAccountId);
    finishForm(reply.stripeAccountId);
    await world.deliver();
    expect(await coach()).toMatchObject({ accountStatus: 'active', acceptsPayments: true });
    expect(await accounts()).toHaveLength(1);
  });

  it.each([
    ['returnUrl', { ...addresses, returnUrl: 'https://evil.example/' }],
    ['refreshUrl', { ...addresses, refreshUrl: 'javascript:alert(1)' }],
  ])('refuses a %s that is not ours before anything is made', async (field, input) => {
    await expect(startOnboarding(ctx, karin, input)).rejects.toMatchObject({
      code: 'invalid-argument',
      reason: 'address-not-allowed',
      details: { field },
    });
    expect(await readCoach(ctx, 'karin')).toBeUndefined();
    expect(await accounts()).toEqual([]);
  });

  it('gives no link to an account that is closed', async () => {
    await start();
    await db.doc('coaches/karin').update({ accountStatus: 'rejected' });
    await expect(start()).rejects.toMatchObject({ code: 'failed-precondition', reason: 'account-rejected' });
  });
});

describe('getCoachStatus', () => {
  it('tells somebody without an account what to do, and writes nothing', async () => {
    expect(await coachStatus(ctx, 'karin')).toEqual({
      stripeAccountId: null,
      accountStatus: 'none',
      acceptsPayments: false,
      chargesEnabled: false,
      payoutsEnabled: false,
      requirementsDue: [],
      requirementsText: { sv: [], en: [] },
      requirementsDeadline: null,
      needsOnboarding: true,
      currency: 'SEK',
      country: 'SE',
      terms: { feePercent: 20, feeFixedMinor: 0, feeRounding: 'whole', chargeModel: 'destination' },
      payoutSettings: { cadence: 'weekly', minimumMinor: 2_000 },
      payoutDestination: null,
      payoutObstacle: 'no-account',
      payoutsRestUntil: null,
      holdReason: null,
    });
    expect(await readCoach(ctx, 'karin')).toBeUndefined();
  });

  it('shows a coach coming back from Stripe the truth before any event', async () => {
    const { reply } = await start();
    const before = await coachStatus(ctx, 'karin');
    expect(before).toMatchObject({ accountStatus: 'pending', needsOnboarding: true, acceptsPayments: false });
    expect(before.requirementsDue).toContain('external_account');
    finishForm(reply.stripeAccountId);
    expect(await coachStatus(ctx, 'karin')).toMatchObject({
      stripeAccountId: reply.stripeAccountId,
      accountStatus: 'active',
      acceptsPayments: true,
      payoutsEnabled: true,
      requirementsDue: [],
      needsOnboarding: false,
    });
    expect(await coach()).toMatchObject({ accountStatus: 'active', payoutDestination: { last4: '0003' } });
  });

  it('has nothing for the coach to do while Stripe looks at what they sent', async () => {
    await world.control('stripe', 'switches', { onboardingVerificationDelaySeconds: 3_600 });
    const { reply } = await start();
    finishForm(reply.stripeAccountId);
    expect(await coachStatus(ctx, 'karin')).toMatchObject({ accountStatus: 'pending', needsOnboarding: false });
    await world.advance(hours(2));
    expect(await coachStatus(ctx, 'karin')).toMatchObject({ accountStatus: 'active' });
  });

  it('gives the last known answer when Stripe is away', async () => {
    await start();
    await world.control('stripe', 'faults', { kind: 'error_500_before', path: '/v1/accounts', times: 6 });
    expect(await coachStatus(ctx, 'karin')).toMatchObject({ accountStatus: 'pending', needsOnboarding: true });
  });
});

describe("an account's events", () => {
  it('in any order and again end in the state of the account', async () => {
    const { reply } = await start();
    finishForm(reply.stripeAccountId);
    const { data: list } = await world.control<{ data: Stripe.Event[] }>('stripe', 'events');
    expect(list.length).toBeGreaterThan(2);
    for (const event of [...list].reverse()) {
      expect(['applied', 'ignored', 'repeated']).toContain(await receiveEvent(ctx, event));
    }
    const ours = await coach();
    for (const event of list) await receiveEvent(ctx, { ...event, id: `${event.id}_again` });
    expect(await coach()).toMatchObject({ ...ours, updatedAt: expect.anything() as unknown });
    expect(ours).toMatchObject({ accountStatus: 'active', acceptsPayments: true });
  });

  it('fetched before a change and planned after it are fetched again', async () => {
    const { reply } = await start();
    finishForm(reply.stripeAccountId);
    const [event] = (await world.deliver()).map(({ event }) => event).filter(({ type }) => type === 'account.updated');
    if (!event) throw new Error('The emulator sent no account.updated.');
    let changed = 0;
    beforeOperation = async (operation, path) => {
      if (operation !== 'transaction.get' || path !== 'coaches/karin' || changed++ > 0) return;
      await db.doc('coaches/karin').update({ 'payoutSettings.cadence': 'daily' });
    };
    expect(await receiveEvent(ctx, { ...event, id: 'evt_slow' })).toBe('applied');
    expect(changed).toBeGreaterThan(1);
    expect(await coach()).toMatchObject({ accountStatus: 'active', payoutSettings: { cadence: 'daily' } });
  });

  it('tie an account to its coach when we crashed before noting it', async () => {
    await fault('timeout_after_success', '/v1/accounts', 3);
    await expect(start()).rejects.toMatchObject({ reason: 'stripe-unavailable' });
    const [account] = await accounts();
    if (!account) throw new Error('No account was made.');
    finishForm(account.id);
    await world.deliver();
    expect(await coach()).toMatchObject({ stripeAccountId: account.id, accountStatus: 'active' });
    expect((await start()).reply.stripeAccountId).toBe(account.id);
  });

  it('wait for an account that nobody has, and are applied when somebody does', async () => {
    const { reply } = await start();
    const document = await coach();
    await db.doc('coaches/karin').delete();
    finishForm(reply.stripeAccountId);
    const received = await world.deliver();
    const updated = received.find(({ event }) => event.type === 'account.updated');
    expect(updated?.receipt).toBe('parked');
    await db.doc('coaches/karin').set(document);
    await releaseParked(ctx, accountPath(reply.stripeAccountId));
    expect(await coach()).toMatchObject({ accountStatus: 'active' });
    expect((await db.doc(`stripeEvents/${updated?.event.id}`).get()).data()).toMatchObject({ state: 'applied' });
  });

  it('of a disconnected account close it for good, and a person hears', async () => {
    const { reply } = await start();
    finishForm(reply.stripeAccountId);
    const delivered = await world.deliver();
    const event = {
      ...delivered[0]?.event,
      id: 'evt_gone',
      type: 'account.application.deauthorized',
      account: reply.stripeAccountId,
      data: { object: { id: 'ca_1', object: 'application', name: 'Inner Journey' } },
    } as Stripe.Event;
    const owed = deltas({ stripe_connected: 12_345, coach_payable: -12_345 });
    await db.doc('ledger/left').set({ coachId: 'karin', currency: 'SEK', deltas: owed });
    expect(await receiveEvent(ctx, event)).toBe('applied');
    const [flag] = (await db.collection('flags').get()).docs.map((doc) => doc.data() as Flag);
    expect(flag?.message).toContain('123,45 kr');
    for (const late of delivered) await receiveEvent(ctx, { ...late.event, id: `${late.event.id}_late` });
    const gone: Partial<Coach> = { accountStatus: 'deauthorized', acceptsPayments: false, payoutsEnabled: false };
    expect(await coach()).toMatchObject(gone);
    expect(await flags()).toEqual(['account-deauthorized']);
    await expect(start()).rejects.toMatchObject({ reason: 'account-deauthorized' });
    expect(await coachStatus(ctx, 'karin')).toMatchObject({ accountStatus: 'deauthorized', needsOnboarding: false });
  });

  it('of a second account that says it is the same coach change nothing but a flag', async () => {
    const { reply } = await start();
    const other = await world.stripe.accounts.create({
      country: 'SE',
      controller: {
        fees: { payer: 'application' },
        losses: { payments: 'application' },
        stripe_dashboard: { type: 'express' },
        requirement_collection: 'stripe',
      },
      capabilities: { transfers: { requested: true } },
      settings: { payouts: { schedule: { interval: 'manual' } } },
      metadata: { uid: 'karin' },
    });
    finishForm(other.id);
    await world.deliver();
    expect(await coach()).toMatchObject({ stripeAccountId: reply.stripeAccountId, accountStatus: 'pending' });
    expect(await flags()).toEqual(['second-account']);
  });
});

describe('what Stripe changes later', () => {
  const letters = async () =>
    (await db.collection('mail').get()).docs.map((doc) => ({ id: doc.id, ...(doc.data() as Letter) }));
  const disable = (due: string[]) => {
    const { world: stripe } = world.stripeEmulator.core;
    disableAccount(stripe, accountNamed(stripe, account), { due, payouts: false });
  };
  let account: string;

  beforeEach(async () => {
    account = (await start()).reply.stripeAccountId;
    finishForm(account);
    await world.deliver();
  });

  it('restricts an account: the coach is written to and a person flagged, once for each time', async () => {
    disable(['individual.verification.document']);
    const [first] = await world.deliver();
    expect(await coach()).toMatchObject({ accountStatus: 'restricted', acceptsPayments: false });
    expect(await flags()).toEqual(['account-restricted']);
    const [letter] = await letters();
    expect(letter?.toUids).toEqual(['karin']);
    expect(letter?.message.text).toContain('Ladda upp en bild av pass, körkort eller id-kort.');
    if (first) await receiveEvent(ctx, { ...first.event, id: 'evt_again' });
    await coachStatus(ctx, 'karin');
    expect(await letters()).toHaveLength(1);
    finishForm(account);
    await world.deliver();
    expect(await coach()).toMatchObject({ accountStatus: 'active' });
    await world.advance(minutes(1));
    disable(['external_account']);
    await world.deliver();
    expect((await letters()).filter(({ id }) => id.startsWith('account-restricted'))).toHaveLength(2);
    expect(await coachStatus(ctx, 'karin')).toMatchObject({
      accountStatus: 'restricted',
      payoutObstacle: 'account-not-active',
      requirementsText: { sv: ['Lägg till kontot som utbetalningarna ska gå till.'] },
    });
  });

  it('asks for something by a day: the coach is written to once, and everything goes on until then', async () => {
    const { world: stripe } = world.stripeEmulator.core;
    const deadline = Math.floor(world.now().getTime() / 1000) + days(14) / 1000;
    announceDue(stripe, accountNamed(stripe, account), ['individual.verification.document'], deadline);
    await world.deliver();
    await coachStatus(ctx, 'karin');
    const [letter, ...more] = await letters();
    expect(more).toEqual([]);
    expect(letter?.message.text).toContain('Ladda upp en bild av pass');
    expect(await coachStatus(ctx, 'karin')).toMatchObject({
      accountStatus: 'active',
      payoutObstacle: null,
      needsOnboarding: true,
      requirementsDeadline: new Date(deadline * 1000).toISOString(),
    });
  });

  it('pays nothing for a time after the bank account changed, and both addresses hear of it', async () => {
    expect(await letters()).toEqual([]);
    finishForm(account, { iban: 'SE2750000000000000888883' });
    await world.deliver();
    const [letter, ...more] = await letters();
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ to: karin.email, toUids: ['karin'] });
    expect(letter?.message.text).toContain('8883');
    const status = await coachStatus(ctx, 'karin');
    expect(status).toMatchObject({
      accountStatus: 'active',
      payoutObstacle: 'bank-account-changed',
      payoutDestination: { kind: 'bank_account', last4: '8883' },
    });
    const left = new Date(status.payoutsRestUntil ?? 0).getTime() - world.now().getTime();
    expect(left).toBeGreaterThan(hours(47.9));
    expect(left).toBeLessThanOrEqual(hours(48));
    await world.advance(hours(49));
    expect(await coachStatus(ctx, 'karin')).toMatchObject({ payoutObstacle: null, payoutsRestUntil: null });
  });

  it('connects a disconnected account again, and a late word of the disconnection changes nothing', async () => {
    const created = Math.floor(world.now().getTime() / 1000);
    const told = (id: string, type: string, seconds: number) =>
      ({
        id,
        object: 'event',
        type,
        created: created + seconds,
        livemode: false,
        account,
        data: { object: { id: 'ca_1', object: 'application' } },
      }) as unknown as Stripe.Event;
    expect(await receiveEvent(ctx, told('evt_out', 'account.application.deauthorized', 1))).toBe('applied');
    expect(await coach()).toMatchObject({ accountStatus: 'deauthorized' });
    expect(await receiveEvent(ctx, told('evt_in', 'account.application.authorized', 2))).toBe('applied');
    expect(await coach()).toMatchObject({ accountStatus: 'active', acceptsPayments: true });
    expect(await receiveEvent(ctx, told('evt_late', 'account.application.deauthorized', 0))).toBe('applied');
    expect(await coach()).toMatchObject({ accountStatus: 'active' });
  });
});

describe('other ways in', () => {
  it('takes a country and a business profile along, once', async () => {
    const businessProfile = { name: 'Karins coachning', description: 'Coaching in Swedish' };
    const { reply } = await startOnboarding(ctx, karin, { ...addresses, country: 'SE', businessProfile });
    expect(await world.stripe.accounts.retrieve(reply.stripeAccountId)).toMatchObject({
      country: 'SE',
      business_profile: { name: 'Karins coachning', product_description: 'Coaching in Swedish' },
    });
    await expect(startOnboarding(ctx, karin, { ...addresses, country: 'NO' })).rejects.toMatchObject({
      code: 'failed-precondition',
      reason: 'country-fixed',
    });
  });

  it('refuses a country whose money is another', async () => {
    await expect(startOnboarding(ctx, karin, { ...addresses, country: 'NO' })).rejects.toMatchObject({
      code: 'invalid-argument',
      reason: 'country-not-supported',
    });
    expect(await accounts()).toEqual([]);
  });

  it('embeds onboarding: makes the account and a session, and the same account with a new session again', async () => {
    const first = await createAccountSession(ctx, karin, {});
    expect(first.reply.clientSecret).toMatch(/^accs_secret/);
    expect(first.created).toHaveLength(1);
    const second = await createAccountSession(ctx, karin, {});
    expect(second.reply.clientSecret).not.toBe(first.reply.clientSecret);
    expect(second.created).toEqual([]);
    expect(await accounts()).toHaveLength(1);
    expect(JSON.stringify(await coach())).not.toContain('accs_secret');
  });

  it("opens Stripe's dashboard for a coach who is onboarded", async () => {
    await expect(createLoginLink(ctx, 'karin')).rejects.toMatchObject({ reason: 'onboarding-unfinished' });
    const { reply } = await start();
    await expect(createLoginLink(ctx, 'karin')).rejects.toMatchObject({ reason: 'onboarding-unfinished' });
    finishForm(reply.stripeAccountId);
    await world.deliver();
    expect((await createLoginLink(ctx, 'karin')).url).toMatch(/^http/);
  });

  it('makes a tenant who charges on their own account one with cards and the full dashboard', async () => {
    const terms = { feePercent: 20, feeFixedMinor: 0, feeRounding: 'whole', chargeModel: 'direct' };
    await start();
    const { accountAsked: _asked, stripeAccountId: _account, ...fresh } = await coach();
    await db.doc('coaches/store').set({ ...fresh, terms });
    const { reply } = await startOnboarding(ctx, { ...karin, uid: 'store' }, addresses);
    expect(await world.stripe.accounts.retrieve(reply.stripeAccountId)).toMatchObject({
      controller: { stripe_dashboard: { type: 'full' } },
      capabilities: { card_payments: 'inactive', transfers: 'inactive' },
    });
  });
});

it('finds coaches by account and page by page', async () => {
  const { reply } = await start();
  const found = await coachByAccount(ctx, reply.stripeAccountId);
  expect(found?.coachId).toBe('karin');
  expect(await coachByAccount(ctx, 'acct_none')).toBeUndefined();
  const document = await coach();
  for (const id of ['anna', 'olle', 'zara']) await db.doc(`coaches/${id}`).set(document);
  const first = await pageOfCoaches(ctx, { limit: 3 });
  expect(first.map(({ coachId }) => coachId)).toEqual(['anna', 'karin', 'olle']);
  const rest = await pageOfCoaches(ctx, { after: 'olle', limit: 3 });
  expect(rest.map(({ coachId }) => coachId)).toEqual(['zara']);
});
