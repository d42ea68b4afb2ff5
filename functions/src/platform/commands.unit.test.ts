import fc from 'fast-check';
import { FinalRefusal, hashInput, runCommand, type Command } from './commands.ts';
import type { Context } from './context.ts';
import { Refusal } from './errors.ts';
import { createTestFirestore } from '../testing/firestore.ts';

type Plan = { amount: number };
type Result = { id: string };

function setUp() {
  const clock = { now: () => new Date('2026-11-23T07:00:00Z') };
  const ctx = { db: createTestFirestore(), clock } as Context;
  const calls = { plan: 0, execute: 0 };
  const command = (
    input: object,
    execute: (plan: Plan) => Promise<Result> = async () => ({ id: 'pi_1' }),
  ): Command<Plan, Result> => ({
    command: 'pay',
    uid: 'lisa',
    requestId: 'request-1',
    input,
    plan: async () => ({ amount: ++calls.plan }),
    execute: async (plan) => {
      calls.execute++;
      return execute(plan);
    },
  });
  return { ctx, calls, command };
}

describe('idempotent commands', () => {
  it('gives the first result again and does nothing twice', async () => {
    const { ctx, calls, command } = setUp();
    await expect(runCommand(ctx, command({ productId: 'a' }))).resolves.toEqual({ id: 'pi_1' });
    await expect(runCommand(ctx, command({ productId: 'a' }))).resolves.toEqual({ id: 'pi_1' });
    expect(calls).toEqual({ plan: 1, execute: 1 });
  });

  it('refuses the same requestId with another input', async () => {
    const { ctx, command } = setUp();
    await runCommand(ctx, command({ productId: 'a' }));
    await expect(runCommand(ctx, command({ productId: 'b' }))).rejects.toMatchObject({ reason: 'request-id-reused' });
  });

  it('after a crash runs again with the plan that was frozen', async () => {
    const { ctx, calls, command } = setUp();
    const crash = async (): Promise<Result> => Promise.reject(new Error('the process died'));
    await expect(runCommand(ctx, command({}, crash))).rejects.toThrow('died');
    const seen: Plan[] = [];
    const second = command({}, async (plan) => {
      seen.push(plan);
      return { id: 'pi_2' };
    });
    await expect(runCommand(ctx, second)).resolves.toEqual({ id: 'pi_2' });
    expect(seen).toEqual([{ amount: 1 }]);
    expect(calls.plan).toBe(1);
  });

  it('is done with its plan where nothing is to be executed, so that a crash after the commit leaves nothing open', async () => {
    const { ctx, calls, command } = setUp();
    const { execute: _, ...planned } = command({});
    await expect(runCommand(ctx, planned)).resolves.toEqual({ amount: 1 });
    expect((await ctx.db.doc('requests/lisa_request-1').get()).data()).toMatchObject({ state: 'done' });
    await expect(runCommand(ctx, planned)).resolves.toEqual({ amount: 1 });
    expect(calls).toEqual({ plan: 1, execute: 0 });
  });

  it('keeps a final refusal and forgets one of the plan', async () => {
    const { ctx, calls, command } = setUp();
    const decline = async (): Promise<Result> =>
      Promise.reject(new FinalRefusal('failed-precondition', 'card-declined', 'No.', { code: 'x' }));
    await expect(runCommand(ctx, command({}, decline))).rejects.toMatchObject({ reason: 'card-declined' });
    await expect(runCommand(ctx, command({}))).rejects.toMatchObject({
      reason: 'card-declined',
      details: { code: 'x' },
    });
    expect(calls.execute).toBe(1);

    const refusing = {
      ...command({}),
      requestId: 'request-2',
      plan: async (): Promise<Plan> => Promise.reject(new Refusal('not-found', 'product-not-found', 'No.')),
    };
    await expect(runCommand(ctx, refusing)).rejects.toMatchObject({ reason: 'product-not-found' });
    await expect(runCommand(ctx, { ...command({}), requestId: 'request-2' })).resolves.toEqual({ id: 'pi_1' });
  });

  it('sixteen at once plan once', async () => {
    const { ctx, calls, command } = setUp();
    const results = await Promise.all(Array.from({ length: 16 }, () => runCommand(ctx, command({}))));
    expect(new Set(results.map(({ id }) => id))).toEqual(new Set(['pi_1']));
    expect((await ctx.db.collection('requests').get()).size).toBe(1);
    const stored = (await ctx.db.doc('requests/lisa_request-1').get()).data();
    expect(stored).toMatchObject({ state: 'done', plan: { amount: expect.any(Number) as number } });
    expect(calls.execute).toBeGreaterThan(0);
  });

  it('hashes an input by its meaning, not by the order of its keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (input) => {
        const turned = Object.fromEntries(Object.entries(input).reverse());
        expect(hashInput('pay', turned)).toBe(hashInput('pay', input));
      }),
    );
    expect(hashInput('pay', { a: 1 })).not.toBe(hashInput('pay', { a: '1' }));
  });
});
