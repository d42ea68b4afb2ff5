import { startHarness, type Harness } from '../testing/harness.ts';
import type { Config } from '../config.ts';
import { startGoogle, type Google } from './google.ts';
import {
  appClaims,
  idClaims,
  newSigner,
  schedulerClaims,
  seconds,
  signed,
  signedByPublicKey,
  tampered,
  unsigned,
  type Claims,
} from './jwt.ts';
import { closeConnections, send } from './sender.ts';

/**
 * Authentication as in production: no Auth emulator, so that signatures are verified, by keys that a local server serves
 * in Google's place.
 */
let harness: Harness;
let google: Google;
let config: Config;
const ours = newSigner('key-1');
const theirs = newSigner('key-1');
const scheduler = 'scheduler@example.iam.gserviceaccount.com';
const authHost = process.env.FIREBASE_AUTH_EMULATOR_HOST;

beforeAll(async () => {
  harness = await startHarness();
  delete process.env.FIREBASE_AUTH_EMULATOR_HOST;
  google = await startGoogle(ours);
  const { getApps } = await import('firebase-admin/app');
  const { INTERNAL } = getApps()[0] as unknown as { INTERNAL: { getToken(): Promise<object> } };
  // The function's own account, with which it asks Auth about logins.
  jest.spyOn(INTERNAL, 'getToken').mockResolvedValue({ accessToken: 'ours', expirationTime: Date.now() + 3_600_000 });
  const { productionContext } = await import('../platform/context.ts');
  config = (await productionContext()).config;
}, 60_000);

beforeEach(() => {
  Object.assign(google, { certificatesReachable: true, loginsReachable: true });
  for (const uid of ['customer-1', 'coach-1', 'admin-1']) google.logins.set(uid, {});
  Object.assign(config, { enforceAppCheck: false, schedulerServiceAccount: '' });
});

afterAll(async () => {
  process.env.FIREBASE_AUTH_EMULATOR_HOST = authHost;
  closeConnections();
  await google.close();
  await harness.close();
});

const roles = { customer: {}, coach: { coach: true }, admin: { admin: true } } as const;
type Role = keyof typeof roles;
const claimsOf = (role: Role, more: Claims = {}) =>
  idClaims(harness.projectId, `${role}-1`, { ...roles[role], ...more });
const tokenOf = (role: Role, more: Claims = {}) => signed(ours, claimsOf(role, more));

interface Answered {
  status: number;
  reason: string;
}

/** Asks with an input that no schema takes: 400 means that the caller was let in. */
async function ask(where: string, headers: Record<string, string>): Promise<Answered> {
  const [name = '', path = ''] = where.split(' ');
  const body = path ? '{"bogus":1}' : '{"data":{"bogus":1}}';
  const all: [string, string][] = [['Content-Type', 'application/json'], ...Object.entries(headers)];
  const answer = await send(harness.urlOf(name) + path, 'POST', all, body);
  const { error } = JSON.parse(answer.body) as { error: { reason?: string; details?: { reason?: string } } };
  return { status: answer.status, reason: error.reason ?? error.details?.reason ?? '' };
}

const withToken = (where: string, token: string, more: Record<string, string> = {}) =>
  ask(where, { Authorization: `Bearer ${token}`, ...more });

const letIn = { status: 400, reason: 'invalid-input' };
const own: Record<string, Role> = {
  processPayment: 'customer',
  startCoachOnboarding: 'coach',
  'api /process-payment': 'customer',
  'api /schedule-payouts': 'admin',
};
const places = Object.entries(own);

describe('ID tokens', () => {
  it.each(places)('%s: a good one of a %s is let in', async (where, role) => {
    expect(await withToken(where, tokenOf(role))).toEqual(letIn);
    expect(google.asked).toContain('/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com');
  });

  it.each(places)('%s: bad ones are not', async (where, role) => {
    const claims = claimsOf(role);
    const good = signed(ours, claims);
    const [head = '', payload = ''] = good.split('.');
    const bad: Record<string, string> = {
      garbage: 'garbage',
      'three parts of garbage': 'a.b.c',
      'unsigned, as of the Auth emulator': unsigned(claims),
      'unsigned, naming our key': unsigned(claims, { kid: ours.kid }),
      'signature left out': `${head}.${payload}.`,
      'signed with our public key as a secret': signedByPublicKey(ours, claims),
      'of another key by the same name': signed(theirs, claims),
      'of a key that is not there': signed(ours, claims, { kid: 'key-2' }),
      'of no key': signed(ours, claims, { kid: undefined }),
      'changed after signing': tampered(tokenOf('customer'), { ...claims, admin: true, coach: true }),
      'of another project': signed(ours, { ...claims, aud: 'other', iss: 'https://securetoken.google.com/other' }),
      'of another audience': signed(ours, { ...claims, aud: 'other' }),
      'of another issuer': signed(ours, { ...claims, iss: 'https://accounts.google.com' }),
      'of a session cookie': signed(ours, {
        ...claims,
        iss: `https://session.firebase.google.com/${harness.projectId}`,
      }),
      expired: signed(ours, { ...claims, exp: seconds(-1) }),
      'not valid yet': signed(ours, { ...claims, nbf: seconds(600) }),
      'of nobody': signed(ours, { ...claims, sub: '' }),
      'of a uid too long': signed(ours, { ...claims, sub: 'u'.repeat(129) }),
      'of a number': signed(ours, { ...claims, sub: 7 }),
      'an app’s': signed(ours, appClaims(harness.projectId)),
      'a custom token': signed(ours, {
        aud: 'https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit',
        uid: 'admin-1',
        iat: seconds(),
        exp: seconds(3600),
      }),
    };
    const statuses = await Promise.all(
      Object.entries(bad).map(async ([what, token]) => [what, (await withToken(where, token)).status]),
    );
    expect(statuses).toEqual(Object.keys(bad).map((what) => [what, 401]));
    expect((await ask(where, {})).status).toBe(401);
    for (const header of ['', 'Bearer', 'Bearer ', `Basic ${good}`, good]) {
      expect([header, (await ask(where, { Authorization: header })).status]).toEqual([header, 401]);
    }
  });

  it.each(places)('%s: without certificates to be had, everybody is refused', async (where, role) => {
    google.certificatesReachable = false;
    expect((await withToken(where, tokenOf(role))).status).toBe(401);
  });

  it.each(places)('%s: a login that was withdrawn is refused before its token ends', async (where, role) => {
    const token = tokenOf(role);
    const uid = `${role}-1`;
    const withdrawn = { status: 401, reason: 'login-withdrawn' };
    google.logins.set(uid, { disabled: true });
    expect(await withToken(where, token)).toEqual(withdrawn);
    google.logins.set(uid, { validSince: seconds(-30) });
    expect(await withToken(where, token)).toEqual(withdrawn);
    google.logins.delete(uid);
    expect(await withToken(where, token)).toEqual(withdrawn);
    google.logins.set(uid, { validSince: seconds(-90) });
    expect(await withToken(where, token)).toEqual(letIn);
  });

  it.each(places)(
    '%s: while logins cannot be asked about, nobody is let in, and told to come back',
    async (where, role) => {
      google.loginsReachable = false;
      expect(await withToken(where, tokenOf(role))).toEqual({ status: 503, reason: 'login-not-checked' });
    },
  );

  it('roles are what the claim says, exactly', async () => {
    const coaches = 'startCoachOnboarding';
    const admins = 'api /schedule-payouts';
    const noCoach = { status: 403, reason: 'coach-only' };
    const noAdmin = { status: 403, reason: 'admin-only' };
    for (const role of ['customer', 'admin'] as const) expect(await withToken(coaches, tokenOf(role))).toEqual(noCoach);
    for (const role of ['customer', 'coach'] as const) expect(await withToken(admins, tokenOf(role))).toEqual(noAdmin);
    for (const almost of ['true', 1, {}, [true], null]) {
      expect(await withToken(coaches, tokenOf('customer', { coach: almost }))).toEqual(noCoach);
      expect(await withToken(admins, tokenOf('customer', { admin: almost, role: 'admin' }))).toEqual(noAdmin);
    }
  });

  it('a uid that cannot name a document is refused, loudly', async () => {
    for (const uid of ['a/b', '..', '__admin__', 'å', 'a b']) {
      expect(await withToken('processPayment', tokenOf('customer', { sub: uid }))).toEqual({
        status: 403,
        reason: 'uid-not-usable',
      });
    }
  });
});

describe('App Check, enforced', () => {
  const appPlaces = places.filter(([where]) => where !== 'api /schedule-payouts');

  it.each(appPlaces)('%s: only with a valid token of the app', async (where, role) => {
    config.enforceAppCheck = true;
    const { projectId } = harness;
    const bad: Record<string, string> = {
      garbage: 'garbage',
      unsigned: unsigned(appClaims(projectId), { kid: ours.kid }),
      'of another key': signed(theirs, appClaims(projectId)),
      'of another project': signed(ours, appClaims('other')),
      'of another issuer': signed(ours, appClaims(projectId, { iss: 'https://example.com/' })),
      expired: signed(ours, appClaims(projectId, { exp: seconds(-1) })),
      'an ID token': tokenOf(role),
    };
    const refused = { status: 401, reason: 'app-check-required' };
    expect(await withToken(where, tokenOf(role))).toEqual(refused);
    for (const [what, app] of Object.entries(bad)) {
      expect([what, await withToken(where, tokenOf(role), { 'X-Firebase-AppCheck': app })]).toEqual([what, refused]);
    }
    const good = signed(ours, appClaims(projectId));
    expect(await withToken(where, tokenOf(role), { 'X-Firebase-AppCheck': good })).toEqual(letIn);
    expect((await ask(where, { 'X-Firebase-AppCheck': good })).status).toBe(401);
  });

  it('an operator needs none: Cloud Scheduler is no app', async () => {
    config.enforceAppCheck = true;
    expect(await withToken('api /schedule-payouts', tokenOf('admin'))).toEqual(letIn);
  });
});

describe('Cloud Scheduler’s OIDC token', () => {
  const operations = ['/schedule-payouts', '/sync-accounting'];
  const audienceOf = (path: string) => `https://europe-west1-${harness.projectId}.cloudfunctions.net/api${path}`;
  const tokenFor = (path: string, more: Claims = {}) =>
    signed(ours, schedulerClaims(audienceOf(path), scheduler, more));

  /** The library fetches by a module that Jest cannot load; what it verifies with is given to it. */
  async function certificates(answer: () => Promise<{ certs: Record<string, string>; format: string }>): Promise<void> {
    const { OAuth2Client } = await import('google-auth-library');
    jest.spyOn(OAuth2Client.prototype, 'getFederatedSignonCertsAsync').mockImplementation(answer as OAuth2Certificates);
  }
  type OAuth2Certificates = import('google-auth-library').OAuth2Client['getFederatedSignonCertsAsync'];

  beforeEach(() => certificates(async () => ({ certs: { [ours.kid]: ours.publicPem }, format: 'PEM' })));

  it.each(operations)('%s: the configured account, for this address', async (path) => {
    config.schedulerServiceAccount = scheduler;
    expect(await withToken(`api ${path}`, tokenFor(path))).toEqual(letIn);
    const hosted = signed(ours, schedulerClaims(`http://127.0.0.1:5000/api${path}`, scheduler));
    expect(await withToken(`api ${path}`, hosted)).toEqual(letIn);
  });

  it.each(operations)('%s: not configured, no account is taken, an empty one neither', async (path) => {
    expect((await withToken(`api ${path}`, tokenFor(path))).status).toBe(401);
    expect((await withToken(`api ${path}`, tokenFor(path, { email: '' }))).status).toBe(401);
  });

  it.each(operations)('%s: nobody else’s', async (path) => {
    config.schedulerServiceAccount = scheduler;
    const claims = schedulerClaims(audienceOf(path), scheduler);
    const bad: Record<string, string> = {
      forged: signed(theirs, claims),
      unsigned: unsigned(claims, { kid: ours.kid }),
      'signed with the public key': signedByPublicKey(ours, claims),
      changed: tampered(tokenFor(path, { email: 'x@example.com' }), claims),
      'of another account': tokenFor(path, { email: 'other@example.iam.gserviceaccount.com' }),
      'of an address not verified': tokenFor(path, { email_verified: false }),
      'of another issuer': tokenFor(path, { iss: 'https://evil.example' }),
      'for another address': tokenFor(path, { aud: 'https://evil.example/api/schedule-payouts' }),
      'for another route': tokenFor(operations.find((other) => other !== path) ?? ''),
      expired: tokenFor(path, { iat: seconds(-7200), exp: seconds(-3600) }),
    };
    for (const [what, token] of Object.entries(bad)) {
      expect([what, (await withToken(`api ${path}`, token)).status]).toEqual([what, 401]);
    }
    const elsewhere = tokenFor(path, { aud: `https://evil.example${path}` });
    expect((await withToken(`api ${path}`, elsewhere, { 'X-Forwarded-Host': 'evil.example' })).status).toBe(401);
  });

  it('opens nothing else', async () => {
    config.schedulerServiceAccount = scheduler;
    for (const where of ['processPayment', 'startCoachOnboarding', 'api /process-payment']) {
      expect((await withToken(where, tokenFor('/schedule-payouts'))).status).toBe(401);
    }
  });

  it('without certificates to be had, it is refused', async () => {
    config.schedulerServiceAccount = scheduler;
    await certificates(() => Promise.reject(new Error('no network')));
    expect((await withToken('api /schedule-payouts', tokenFor('/schedule-payouts'))).status).toBe(401);
  });
});

it('no token is ever logged', () => {
  const signatures = harness.logged.filter((line) => /eyJ[\w-]{10,}\.[\w-]{20,}/.test(line));
  expect(signatures).toEqual([]);
});
