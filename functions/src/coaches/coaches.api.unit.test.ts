import { answer } from '../platform/entrance.ts';
import { createTestWorld, type TestWorld } from '../testing/world.ts';
import { getCoachStatusSpec, startCoachOnboardingSpec } from './coaches.api.ts';

const karin = { uid: 'karin', email: 'karin@example.se', coach: true, admin: false };
const addresses = { returnUrl: 'http://127.0.0.1:5000/return', refreshUrl: 'http://127.0.0.1:5000/refresh' };

let world: TestWorld;
beforeAll(async () => {
  world = await createTestWorld();
});
afterAll(() => world.close());

it('is for coaches', async () => {
  const lisa = { uid: 'lisa', coach: false, admin: true };
  await expect(answer(world.ctx, startCoachOnboardingSpec, lisa, addresses)).rejects.toMatchObject({
    code: 'permission-denied',
    reason: 'coach-only',
  });
  await expect(answer(world.ctx, getCoachStatusSpec, lisa, {})).rejects.toMatchObject({ reason: 'coach-only' });
});

it.each([
  [{}],
  [{ ...addresses, coachId: 'olle' }],
  [{ ...addresses, returnUrl: 7 }],
  [{ ...addresses, refreshUrl: '' }],
])('refuses %j', async (input) => {
  await expect(answer(world.ctx, startCoachOnboardingSpec, karin, input)).rejects.toMatchObject({
    code: 'invalid-argument',
    reason: 'invalid-input',
  });
});

it('onboards and tells the status', async () => {
  const reply = await answer(world.ctx, startCoachOnboardingSpec, karin, addresses);
  expect(Object.keys(reply).sort()).toEqual(['expiresAt', 'onboardingUrl', 'stripeAccountId']);
  expect(await answer(world.ctx, getCoachStatusSpec, karin, undefined)).toMatchObject({
    stripeAccountId: reply.stripeAccountId,
    accountStatus: 'pending',
  });
});
