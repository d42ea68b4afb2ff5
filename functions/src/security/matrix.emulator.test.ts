import { anna, karin, lisa } from '../../../scripts/story/people.ts';
import { startHarness, type Harness } from '../testing/harness.ts';
import { callers, entrances, functionOf, routeOf, type CallerKind, type Entrance } from './entrances.ts';
import { newSigner, schedulerClaims, signed } from './jwt.ts';
import { closeConnections, send } from './sender.ts';

/** Every entrance asked by every caller; what comes of it is what entrances.ts (and docs/security.md) says. */
let harness: Harness;
let functions: Record<string, { __endpoint?: Record<string, unknown> }>;
const google = newSigner('key-1');
const account = 'scheduler@example.iam.gserviceaccount.com';
const tokens = new Map<CallerKind, string>();

beforeAll(async () => {
  harness = await startHarness();
  tokens.set('customer', await harness.login(lisa));
  tokens.set('coach', await harness.login(karin));
  tokens.set('admin', await harness.login(anna));
  functions = (await import('../index.ts')) as unknown as typeof functions;
  const { productionContext } = await import('../platform/context.ts');
  (await productionContext()).config.schedulerServiceAccount = account;
  const { OAuth2Client } = await import('google-auth-library');
  const answer = { certs: { [google.kid]: google.publicPem }, format: 'PEM' };
  jest.spyOn(OAuth2Client.prototype, 'getFederatedSignonCertsAsync').mockImplementation(async () => answer as never);
}, 60_000);

afterAll(async () => {
  closeConnections();
  await harness.close();
});

/** The scheduler brings a token for the very address it asks; the others theirs. */
function tokenOf(caller: CallerKind, entrance: Entrance): string | undefined {
  if (caller !== 'scheduler') return tokens.get(caller);
  const path = entrance.kind === 'route' ? routeOf(entrance).path : '';
  const host = `https://europe-west1-${harness.projectId}.cloudfunctions.net`;
  return signed(google, schedulerClaims(`${host}/${functionOf(entrance)}${path}`, account));
}

/** An input that no schema takes shows who is let in, and does nothing: `invalid-input` comes after the right. */
async function isLetIn(entrance: Entrance, caller: CallerKind): Promise<boolean> {
  const { method, path } = entrance.kind === 'route' ? routeOf(entrance) : { method: 'POST', path: '' };
  const token = tokenOf(caller, entrance);
  const headers: [string, string][] = [['Content-Type', 'application/json']];
  if (token) headers.push(['Authorization', `Bearer ${token}`]);
  const body = method === 'GET' ? '' : entrance.kind === 'route' ? '{"bogus":1}' : '{"data":{"bogus":1}}';
  const { status, body: said } = await send(harness.urlOf(functionOf(entrance)) + path, method, headers, body);
  if (status === 401 || status === 403) return false;
  if (status === 200 || (status === 400 && said.includes('invalid-input'))) return true;
  throw new Error(`${entrance.name} answered the ${caller} with ${status} ${said}`);
}

const asked = entrances.filter(({ kind }) => kind === 'callable' || kind === 'route');

it.each(asked.map((entrance) => [entrance.name, entrance] as const))('%s', async (_name, entrance) => {
  const found: CallerKind[] = [];
  for (const caller of callers) if (await isLetIn(entrance, caller)) found.push(caller);
  expect(found).toEqual(entrance.allowed);
});

it('the webhook asks for a signature, whoever comes', async () => {
  const webhook = entrances.find(({ kind }) => kind === 'webhook');
  if (!webhook) throw new Error('The table has no webhook.');
  for (const caller of callers) {
    const token = tokenOf(caller, webhook) ?? '';
    const headers: [string, string][] = [
      ['Content-Type', 'application/json'],
      ['Authorization', `Bearer ${token}`],
    ];
    expect((await send(harness.urlOf('stripeWebhook'), 'POST', headers, '{}')).status).toBe(400);
  }
});

it('the page that Fortnox leads back to asks for the state, whoever comes', async () => {
  const page = entrances.find(({ kind }) => kind === 'page');
  if (!page) throw new Error('The table has no page.');
  for (const query of [
    '',
    '?code=1',
    '?state=guessed&code=1',
    '?state=guessed&error=access_denied',
    '?state=a&state=b',
  ]) {
    const { status, body } = await send(harness.urlOf(page.name) + query, 'GET', [], '');
    expect([query, status]).toEqual([query, 400]);
    expect(body).toContain('was not opened from here');
  }
  expect((await send(harness.urlOf(page.name), 'POST', [], '')).status).toBe(405);
});

it.each(['scheduled', 'task queue'] as const)('%s functions are deployed for nobody to invoke', async (kind) => {
  const trigger = kind === 'scheduled' ? 'scheduleTrigger' : 'taskQueueTrigger';
  for (const { name } of entrances.filter((entrance) => entrance.kind === kind)) {
    const endpoint = functions[name]?.__endpoint ?? {};
    // The deploy opens https and callable functions to the public, and these to the service account of their trigger.
    expect(Object.keys(endpoint).filter((key) => key.endsWith('Trigger'))).toEqual([trigger]);
    expect(JSON.stringify(endpoint[trigger])).not.toContain('invoker');
  }
});

it('a task without a token is refused even where no IAM stands before it', async () => {
  for (const { name } of entrances.filter(({ kind }) => kind === 'task queue')) {
    const { status } = await send(harness.urlOf(name), 'POST', [['Content-Type', 'application/json']], '{"data":{}}');
    expect([name, status]).toEqual([name, 401]);
  }
});

it('has an entry for every exported function and every route', async () => {
  expect([...new Set(entrances.map(functionOf))].sort()).toEqual(Object.keys(functions).sort());
  const { apiRoutes } = await import('../rest.api.ts');
  const routes = apiRoutes.map(({ method, path }) => `api ${method} ${path}`).sort();
  expect(routes).toEqual(entrances.flatMap(({ kind, name }) => (kind === 'route' ? [name] : [])).sort());
});
