import type Stripe from 'stripe';
import { missing } from '../../core/errors.ts';
import type { World } from '../../core/world.ts';

export function clockNamed(
  world: World,
  id: string,
  param = 'test_clock',
  status: 400 | 404 = 404,
): Stripe.TestHelpers.TestClock {
  const clock = world.testClocks.objects.get(id);
  if (!clock) throw missing('test_clock', id, param, status);
  return clock;
}
