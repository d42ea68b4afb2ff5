import { setTimeout as sleep } from 'node:timers/promises';
import { createTestWorld, type TestWorld } from '../testing/world.ts';
import { BudgetSpent, CallBudget } from './call-budget.ts';

let world: TestWorld;

beforeAll(async () => {
  world = await createTestWorld();
  for (let made = 0; made < 5; made++) await world.stripe.customers.create({ name: `Customer ${made}` });
});

afterAll(() => world.close());

const requests = async () => (await world.control<{ data: unknown[] }>('stripe', 'requests')).data.length;

it('lets work do what it may, over several steps', async () => {
  const budget = new CallBudget({ calls: 3, ms: 5_000 });
  const list = () => world.stripe.customers.list({ limit: 1 });
  expect((await budget.run(list)).data).toHaveLength(1);
  expect(await budget.run(async () => [await list(), await list()])).toHaveLength(2);
  await expect(budget.run(list)).rejects.toThrow('More than 3 calls to Stripe were to be made.');
});

it('the pages of a list are calls, too, and what is over the limit never leaves', async () => {
  const budget = new CallBudget({ calls: 3, ms: 5_000 });
  const before = await requests();
  const all = async () => {
    for await (const customer of world.stripe.customers.list({ limit: 1 })) expect(customer.id).toMatch(/^cus_/);
  };
  await expect(budget.run(all)).rejects.toThrow(BudgetSpent);
  expect((await requests()) - before).toBe(3);
});

it('ends after its time, and asks nothing more', async () => {
  const budget = new CallBudget({ calls: 100, ms: 30 });
  await expect(budget.run(() => sleep(5_000, undefined, { ref: false }))).rejects.toThrow('within 30 ms');
  await expect(budget.run(() => world.stripe.balance.retrieve())).rejects.toThrow(BudgetSpent);
});

it('counts nothing outside of it', async () => {
  const budget = new CallBudget({ calls: 0, ms: 5_000 });
  const [inside, outside] = await Promise.allSettled([
    budget.run(() => world.stripe.balance.retrieve()),
    world.stripe.balance.retrieve(),
  ]);
  expect([inside.status, outside.status]).toEqual(['rejected', 'fulfilled']);
});
