import fc from 'fast-check';
import { minutes } from '../../platform/clock.ts';
import { createFortnoxConsent } from '../../platform/fortnox/consent.ts';
import { scopesFor } from '../../platform/fortnox/connected.ts';
import { keepRefreshToken } from '../../platform/fortnox/rotating-token.ts';
import { createTokenLock } from '../../platform/fortnox/token-lock.ts';
import { raiseFlag } from '../../admin/flags.service.ts';
import { startSecretManager } from '../../testing/secret-manager.ts';
import { createTestWorld, type TestWorld } from '../../testing/world.ts';
import { unauthorizedFlag } from '../accounting-flags.ts';
import type { Ending } from './connection.ts';
import { beginConnection, finishConnection, type Returned } from './connection.service.ts';
import { pageOf } from './page.ts';

let world: TestWorld;

beforeEach(async () => {
  world = await createTestWorld();
  world.ctx.config = { ...world.ctx.config, fortnoxTenantId: '' };
});
afterEach(() => world.close());

/** Fortnox's page: what it says, and where its button leads. */
async function click(
  consentUrl: string,
  how: { decision?: 'approve' | 'deny'; user?: string } = {},
): Promise<Returned> {
  const page = await fetch(consentUrl, { redirect: 'manual' });
  const form = await page.text();
  const fields = new URLSearchParams();
  for (const [, name = '', value = ''] of form.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g))
    fields.set(name, value.replaceAll('&amp;', '&'));
  fields.set('decision', how.decision ?? 'approve');
  fields.set('user', how.user ?? 'administrator');
  const action = /<form[^>]*action="([^"]*)"/.exec(form)?.[1]?.replaceAll('&amp;', '&') ?? '';
  const answer = await fetch(new URL(action || consentUrl, consentUrl), {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: fields.toString(),
  });
  const back = new URL(answer.headers.get('location') ?? '').searchParams;
  return { state: back.get('state') ?? '', code: back.get('code') ?? undefined, error: back.get('error') ?? undefined };
}

const begin = async () => (await beginConnection(world.ctx, 'anna')).consentUrl;
const settings = async () => (await world.ctx.db.doc('settings/fortnox').get()).data();
const reasonOf = (ending: Ending) => (ending.kind === 'refused' ? ending.reason : ending.kind);

describe('connecting Fortnox', () => {
  it('keeps the company, who connected it, and closes the flag', async () => {
    await raiseFlag(world.ctx, unauthorizedFlag('gone'));
    const ending = await finishConnection(world.ctx, await click(await begin()));
    expect(reasonOf(ending)).toBe('connected');
    expect(await settings()).toMatchObject({ tenantId: '100001', connectedBy: 'anna' });
    expect((await world.ctx.db.doc('flags/fortnox-unauthorized').get()).data()).toMatchObject({ status: 'resolved' });
    expect((await world.ctx.db.collection('auditLog').get()).docs.map((doc) => doc.data())).toMatchObject([
      { by: 'anna', action: 'connectFortnox', after: { tenantId: '100001' } },
    ]);
    expect(pageOf(ending)).toMatchObject({ status: 200 });
  });

  it('a page loaded twice, also at once, is taken up once', async () => {
    const returned = await click(await begin());
    const endings = await Promise.all([1, 2, 3].map(() => finishConnection(world.ctx, returned)));
    expect(endings.map(reasonOf).sort()).toEqual(['connected', 'state-used', 'state-used']);
    expect((await world.ctx.db.collection('auditLog').get()).size).toBe(1);
  });

  it.each([
    ['a state that nobody was given', async () => ({ state: 'guessed', code: 'x' }), 'state-unknown'],
    ['a code that is not Fortnox’s', async () => ({ ...(await click(await begin())), code: 'stolen' }), 'not-taken-up'],
    ['a consent declined', async () => click(await begin(), { decision: 'deny' }), 'fortnox-refused'],
    ['an ordinary user', async () => click(await begin(), { user: 'user' }), 'fortnox-refused'],
  ])('%s connects nothing', async (_what, come, reason) => {
    const ending = await finishConnection(world.ctx, await come());
    expect(reasonOf(ending)).toBe(reason);
    expect(pageOf(ending)).toMatchObject({ status: 400 });
    expect(await settings()).toBeUndefined();
  });

  it('a state is good for ten minutes', async () => {
    const returned = await click(await begin());
    await world.advance(minutes(11));
    expect(reasonOf(await finishConnection(world.ctx, returned))).toBe('state-expired');
    expect(await settings()).toBeUndefined();
  });

  it('another company than the one the books are kept in is refused, and named', async () => {
    world.ctx.config = { ...world.ctx.config, fortnoxTenantId: '555' };
    const ending = await finishConnection(world.ctx, await click(await begin()));
    expect(ending).toMatchObject({ reason: 'company-differs', message: expect.stringContaining('100001') as string });
    expect(await settings()).toBeUndefined();
  });

  it('an answer that is lost connects nothing and says what to do', async () => {
    const returned = await click(await begin());
    await world.control('fortnox', 'faults', { kind: 'html_error', path: '/oauth-v1/token', times: 9 });
    expect(reasonOf(await finishConnection(world.ctx, returned))).toBe('not-taken-up');
    expect(await settings()).toBeUndefined();
  });

  it('a refresh token is the newest version before anything says that it is connected', async () => {
    const manager = await startSecretManager(['token']);
    try {
      const lock = createTokenLock(world.ctx.db, () => world.ctx.clock.now());
      const { config } = world.ctx;
      const consent = createFortnoxConsent({
        apiBase: config.fortnoxApiBase,
        clientId: 'fortnox-emulator-client',
        clientSecret: 'fortnox-emulator-secret',
        redirectUri: 'http://127.0.0.1/fortnoxCallback',
        service: false,
        scopes: scopesFor('transaction'),
        keep: keepRefreshToken(await manager.store('token'), lock),
        now: () => world.ctx.clock.now(),
      });
      world.ctx.fortnoxConsent = async () => consent;
      const returned = await click(await begin());
      expect(reasonOf(await finishConnection(world.ctx, returned))).toBe('connected');
      expect(manager.versions('token')).toHaveLength(1);
      // Where it cannot be stored, nothing says that it is connected.
      await world.ctx.db.doc('settings/fortnox').delete();
      const again = await click(await begin());
      manager.fail(':addVersion', 403, 9);
      expect(reasonOf(await finishConnection(world.ctx, again))).toBe('not-kept');
      expect(await settings()).toBeUndefined();
      expect(await lock.read()).toMatchObject({ version: 1 });
    } finally {
      await manager.close();
    }
  });
});

it('nothing that Fortnox or a company is called becomes markup', () => {
  fc.assert(
    fc.property(fc.string(), (company) => {
      const { html } = pageOf({ kind: 'connected', company: `<b>${company}<script>`, organizationNumber: '"><img>' });
      expect(html).not.toMatch(/<(b|script|img)>/);
    }),
  );
});
