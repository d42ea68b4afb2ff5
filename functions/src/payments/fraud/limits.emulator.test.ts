import { lisa } from '../../../../scripts/story/people.ts';
import { startHarness, type Harness } from '../../testing/harness.ts';

/** A user's limit on the exported function and the real Firestore, many calls at once. */
let harness: Harness;
let token: string;

beforeAll(async () => {
  harness = await startHarness();
  token = await harness.login(lisa);
}, 60_000);

afterAll(() => harness.close());

interface Refused {
  status: string;
  details: { reason: string; retryAfterSeconds?: number };
}

/** The reason of the refusal: there is nothing to buy here. */
const call = async (requestId: string): Promise<Refused> => {
  const input = { productId: 'nothing', requestId };
  const answer: unknown = await harness.call('createSubscription', input, token).catch((error: unknown) => error);
  return answer as Refused;
};

it('lets as many through as it says, tells the others when to come again, and asks nothing of Stripe', async () => {
  const started = Date.now();
  const answers = await Promise.all(Array.from({ length: 16 }, (_, n) => call(`at-once-${n + 1}`)));
  const refilled = Math.ceil((Date.now() - started) / 6_000);
  const refused = answers.filter(({ status }) => status === 'RESOURCE_EXHAUSTED');
  const taken = answers.filter(({ details }) => details.reason === 'product-not-found');
  expect(taken.length + refused.length).toBe(16);
  expect(taken.length).toBeGreaterThanOrEqual(10);
  expect(taken.length).toBeLessThanOrEqual(10 + refilled);
  for (const { details } of refused) {
    expect(details.reason).toBe('too-many-requests');
    expect(details.retryAfterSeconds).toBeGreaterThan(0);
    expect(details.retryAfterSeconds).toBeLessThanOrEqual(10);
  }
  const { data } = await harness.control<{ data: { method: string }[] }>('stripe', 'requests');
  expect(data.filter(({ method }) => method === 'POST')).toEqual([]);
}, 60_000);
