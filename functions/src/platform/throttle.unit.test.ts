import fc from 'fast-check';
import { z } from 'zod';
import { Timestamp } from 'firebase-admin/firestore';
import { days, hours, minutes } from './clock.ts';
import type { Context } from './context.ts';
import { answer, type CallableSpec } from './entrance.ts';
import { silentLog } from './log.ts';
import { mergeLimits, requireRoom, spend, type CallsOfOne, type Limit } from './throttle.ts';
import { createTestFirestore } from '../testing/firestore.ts';

const start = Date.parse('2026-11-23T07:00:00Z');
const limit: Limit = { perMinute: 5, perDay: 20 };

function setUp() {
  const clock = { at: start, now: () => new Date(clock.at) };
  const ctx = { db: createTestFirestore(), clock, log: silentLog } as unknown as Context;
  const call = (requestId?: string, some: Limit = limit, uid = 'lisa') =>
    requireRoom(ctx, uid, 'pay', some, requestId === undefined ? {} : { requestId });
  return { ctx, clock, call };
}

const refused = (reason: string, retryAfterSeconds: number) => ({
  code: 'resource-exhausted',
  reason,
  details: { retryAfterSeconds },
});

describe('how often one user may call', () => {
  it('takes a burst, then one every twelve seconds, and says how long to wait', async () => {
    const { clock, call } = setUp();
    for (let n = 0; n < 5; n++) await call(`request-${n}`);
    await expect(call('request-6')).rejects.toMatchObject(refused('too-many-requests', 12));
    clock.at += 11_999;
    await expect(call('request-6')).rejects.toMatchObject(refused('too-many-requests', 1));
    clock.at += 1;
    await call('request-6');
    await expect(call('request-7')).rejects.toMatchObject({ reason: 'too-many-requests' });
  });

  it('takes calls that keep each other from being counted for too many', async () => {
    const { ctx, call } = setUp();
    jest
      .spyOn(ctx.db, 'runTransaction')
      .mockRejectedValueOnce(Object.assign(new Error('10 ABORTED: Transaction lock timeout.'), { code: 10 }))
      .mockRejectedValueOnce(Object.assign(new Error('14 UNAVAILABLE'), { code: 14 }));
    await expect(call('request-1')).rejects.toMatchObject(refused('too-many-requests', 1));
    await expect(call('request-1')).rejects.toThrow('UNAVAILABLE');
    await call('request-1');
  });

  it('counts each user and each function alone', async () => {
    const { ctx, call } = setUp();
    for (let n = 0; n < 5; n++) await call();
    await expect(call()).rejects.toMatchObject({ reason: 'too-many-requests' });
    await call(undefined, limit, 'maja');
    await requireRoom(ctx, 'lisa', 'subscribe', limit, {});
  });

  it('a command asked for again is hardly counted, so its result can be had when there is no room for new ones', async () => {
    const { call } = setUp();
    for (let n = 0; n < 5; n++) await call(`request-${n}`);
    for (let n = 0; n < 20; n++) await call('request-4');
    await expect(call('request-5')).rejects.toMatchObject({ reason: 'too-many-requests' });
  });

  it('but not without end', async () => {
    const { call } = setUp();
    const many = Array.from({ length: 120 }, () => () => call('request-1'));
    let taken = 0;
    for (const again of many) {
      taken += await again().then(
        () => 1,
        () => 0,
      );
    }
    expect(taken).toBeLessThan(100);
  });

  it('at once as one after the other: nobody slips through', async () => {
    const { call } = setUp();
    const answers = await Promise.allSettled(Array.from({ length: 12 }, (_, n) => call(`request-${n}`)));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
  });

  it('a pause refuses what tries cards, for as long as it says, but not the question what became of a command', async () => {
    const { ctx, clock, call } = setUp();
    await call('request-1');
    const until = Timestamp.fromMillis(start + minutes(10));
    await ctx.db.runTransaction(async (tx) => mergeLimits(ctx.db, tx, 'lisa', { pausedUntil: until }, ctx.clock.now()));
    const cards: Limit = { ...limit, cards: true };
    await expect(call('request-2', cards)).rejects.toMatchObject(refused('too-many-declines', 600));
    await call('request-2');
    await call('request-1', cards);
    clock.at += minutes(10);
    await call('request-3', cards);
  });

  it('stands at the entrance: what is refused unread is not counted, what is read is', async () => {
    const { ctx } = setUp();
    const lisa = { uid: 'lisa', coach: false, admin: false };
    const input = z.strictObject({ requestId: z.string() });
    const spec: CallableSpec<{ requestId: string }, { done: true }> = {
      name: 'pay',
      right: 'anyone signed in',
      input,
      limit,
      handle: async () => ({ done: true }),
    };
    for (let n = 0; n < 9; n++)
      await expect(answer(ctx, spec, lisa, {})).rejects.toMatchObject({ reason: 'invalid-input' });
    for (let n = 0; n < 5; n++) await answer(ctx, spec, lisa, { requestId: `request-${n}` });
    await expect(answer(ctx, spec, lisa, { requestId: 'request-5' })).rejects.toMatchObject({
      reason: 'too-many-requests',
    });
  });

  it('in no window does anyone get more than a full bucket and what flowed in', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: hours(3) }), { maxLength: 200 }), (gaps) => {
        let now = start;
        let calls: CallsOfOne | undefined;
        const taken: number[] = [];
        for (const gap of gaps) {
          now += gap % 7 === 0 ? gap : gap % 5_000;
          const next = spend(calls, limit, now);
          if (next.waitMs === 0) {
            taken.push(now);
            calls = next.calls;
          } else {
            expect(spend(calls, limit, now + next.waitMs).waitMs).toBe(0);
          }
        }
        taken.forEach((from, first) => {
          const within = (ms: number) => taken.slice(first).filter((time) => time < from + ms).length;
          expect(within(minutes(1))).toBeLessThanOrEqual(2 * limit.perMinute);
          expect(within(days(1))).toBeLessThanOrEqual(2 * limit.perDay);
        });
      }),
    );
  });
});
