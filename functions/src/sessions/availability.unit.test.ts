import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { businessMoment } from '../platform/clock.ts';
import {
  freeTimes,
  openOn,
  requireOffered,
  requireSound,
  stillTaken,
  takenBy,
  type Availability,
} from './availability.ts';

const at = (iso: string) => new Date(iso);
const spans = (date: string, availability: Pick<Availability, 'weekly' | 'exceptions'>) =>
  openOn(date, availability).map(({ startsAt, endsAt }) => `${startsAt.toISOString()} ${endsAt.toISOString()}`);
const sundays = (from: string, to: string) => ({ weekly: [{ weekday: 7, from, to }], exceptions: [] });

describe('a day of Stockholm’s clock', () => {
  it('begins and ends where the clock says, in winter and in summer', () => {
    expect(businessMoment('2026-11-23', '09:30')).toEqual(at('2026-11-23T08:30:00Z'));
    expect(businessMoment('2026-07-06', '09:30')).toEqual(at('2026-07-06T07:30:00Z'));
    expect(businessMoment('2026-11-23', '24:00')).toEqual(at('2026-11-23T23:00:00Z'));
    expect(() => businessMoment('2026-02-30', '09:30')).toThrow(RangeError);
  });

  it('has no hour that the spring night skips', () => {
    expect(businessMoment('2026-03-29', '02:30')).toEqual(at('2026-03-29T01:00:00Z'));
    expect(spans('2026-03-29', sundays('01:00', '04:00'))).toEqual([
      '2026-03-29T00:00:00.000Z 2026-03-29T02:00:00.000Z',
    ]);
    expect(spans('2026-03-29', sundays('02:10', '02:50'))).toEqual([]);
    expect(spans('2026-03-29', sundays('00:00', '24:00'))).toEqual([
      '2026-03-28T23:00:00.000Z 2026-03-29T22:00:00.000Z',
    ]);
  });

  it('has both hours of the autumn night, and a time that comes twice is the first', () => {
    expect(businessMoment('2026-10-25', '02:30')).toEqual(at('2026-10-25T00:30:00Z'));
    expect(spans('2026-10-25', sundays('01:00', '04:00'))).toEqual([
      '2026-10-24T23:00:00.000Z 2026-10-25T03:00:00.000Z',
    ]);
    expect(spans('2026-10-25', sundays('02:00', '02:30'))).toEqual([
      '2026-10-25T00:00:00.000Z 2026-10-25T00:30:00.000Z',
    ]);
    expect(spans('2026-10-25', sundays('00:00', '24:00'))).toEqual([
      '2026-10-24T22:00:00.000Z 2026-10-25T23:00:00.000Z',
    ]);
  });
});

describe('the hours of a coach', () => {
  const weekly = [
    { weekday: 1, from: '13:00', to: '17:00' },
    { weekday: 1, from: '09:00', to: '13:00' },
    { weekday: 2, from: '09:00', to: '12:00' },
  ];
  const monday = '2026-11-23';

  it('are the week’s, joined where they meet', () => {
    expect(spans(monday, { weekly, exceptions: [] })).toEqual(['2026-11-23T08:00:00.000Z 2026-11-23T16:00:00.000Z']);
    expect(spans('2026-11-25', { weekly, exceptions: [] })).toEqual([]);
  });

  it('are none on a day off, others where they are said, and more on top', () => {
    const off = { kind: 'off', date: monday } as const;
    const extra = { kind: 'extra', date: monday, from: '18:00', to: '19:00' } as const;
    expect(spans(monday, { weekly, exceptions: [off] })).toEqual([]);
    expect(spans(monday, { weekly, exceptions: [off, extra] })).toHaveLength(1);
    expect(spans(monday, { weekly, exceptions: [extra] })).toHaveLength(2);
  });

  it.each([
    ['hours-backwards', { weekly: [{ weekday: 1, from: '12:00', to: '12:00' }], exceptions: [] }],
    ['hours-overlap', { weekly: [...weekly, { weekday: 1, from: '12:59', to: '13:30' }], exceptions: [] }],
    ['hours-overlap', { weekly: [...weekly, { weekday: 2, from: '09:00', to: '12:00' }], exceptions: [] }],
  ])('are refused (%s)', (reason, availability) => {
    expect(() => requireSound(availability)).toThrow(expect.objectContaining({ reason }) as Error);
  });

  it('may meet', () => expect(() => requireSound({ weekly, exceptions: [] })).not.toThrow());
});

describe('a time', () => {
  const offered = {
    weekly: [{ weekday: 1, from: '09:00', to: '12:00' }],
    exceptions: [],
    noticeHours: 2,
    horizonDays: 30,
    createdAt: Timestamp.now(),
    updatedAt: Timestamp.now(),
  };
  const hourFrom = (iso: string) => ({ startsAt: at(iso), endsAt: new Date(at(iso).getTime() + 3_600_000) });
  const now = at('2026-11-23T06:00:00Z');

  it.each([
    ['start-not-on-step', '2026-11-23T08:03:00Z', now, offered],
    ['coach-without-hours', '2026-11-23T08:00:00Z', now, undefined],
    ['start-in-the-past', '2026-11-23T08:00:00Z', at('2026-11-23T08:00:00Z'), offered],
    ['too-short-notice', '2026-11-23T08:00:00Z', at('2026-11-23T06:00:01Z'), offered],
    ['too-far-ahead', '2026-12-28T08:00:00Z', now, offered],
    ['outside-hours', '2026-11-23T07:55:00Z', at('2026-11-20T06:00:00Z'), offered],
    ['outside-hours', '2026-11-23T10:05:00Z', now, offered],
    ['outside-hours', '2026-11-24T08:00:00Z', now, offered],
  ])('is refused (%s)', (reason, startsAt, asked, availability) => {
    expect(() => requireOffered(hourFrom(startsAt), availability, asked)).toThrow(
      expect.objectContaining({ reason }) as Error,
    );
  });

  it.each(['2026-11-23T08:00:00Z', '2026-11-23T10:00:00Z'])(
    'is offered from the first to the last minute (%s)',
    (from) => {
      expect(() => requireOffered(hourFrom(from), offered, now)).not.toThrow();
    },
  );

  it('is shown where it is free, one after the other in every gap', () => {
    const stamp = (iso: string) => Timestamp.fromDate(at(iso));
    const taken = {
      a: { startsAt: stamp('2026-11-23T09:07:00Z'), endsAt: stamp('2026-11-23T09:32:00Z') },
      gone: {
        startsAt: stamp('2026-11-23T08:00:00Z'),
        endsAt: stamp('2026-11-23T09:00:00Z'),
        until: stamp('2026-11-23T05:00:00Z'),
      },
    };
    const shown = (asked: Date) =>
      freeTimes('2026-11-23', offered, taken, 30 * 60_000, asked).map(({ startsAt }) =>
        startsAt.toISOString().slice(11, 16),
      );
    expect(shown(now)).toEqual(['08:00', '08:30', '09:35', '10:05']);
    expect(shown(at('2026-11-23T06:10:00Z'))).toEqual(['08:30', '09:35', '10:05']);
    expect(shown(at('2026-11-23T10:00:00Z'))).toEqual([]);
    expect(shown(at('2026-10-20T06:00:00Z'))).toEqual([]);
  });

  it('that is shown can be booked, whatever is taken, and leaves no room for another beside', () => {
    const hour = 3_600_000;
    const minute = fc.integer({ min: -60, max: 300 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(minute, fc.integer({ min: 1, max: 90 })), { maxLength: 5 }),
        fc.integer({ min: 5, max: 120 }),
        (some, length) => {
          const start = at('2026-11-23T08:00:00Z').getTime();
          const stamp = (n: number) => Timestamp.fromMillis(start + n * 60_000);
          const taken = Object.fromEntries(
            some.map(([from, long], n) => [`s${n}`, { startsAt: stamp(from), endsAt: stamp(from + long) }]),
          );
          const shown = freeTimes('2026-11-23', offered, taken, length * 60_000, now);
          for (const [index, span] of shown.entries()) {
            expect(() => requireOffered(span, offered, now)).not.toThrow();
            expect(takenBy(taken, span, now)).toBeUndefined();
            expect(span.startsAt.getTime()).toBeGreaterThanOrEqual(shown[index - 1]?.endsAt.getTime() ?? 0);
          }
          for (let from = start; from + length * 60_000 <= start + 3 * hour; from += 300_000) {
            const span = { startsAt: new Date(from), endsAt: new Date(from + length * 60_000) };
            const meets = shown.some((each) => each.startsAt < span.endsAt && span.startsAt < each.endsAt);
            expect(meets || takenBy(taken, span, now) !== undefined).toBe(true);
          }
        },
      ),
    );
  });

  it('is taken by whatever has a minute of it, and by nothing that ran out', () => {
    const minute = 60_000;
    const time = fc.integer({ min: 0, max: 200 });
    const length = fc.integer({ min: 1, max: 90 });
    fc.assert(
      fc.property(
        time,
        length,
        time,
        length,
        fc.option(time, { nil: undefined }),
        time,
        (a, aLength, b, bLength, until, now) => {
          const stamp = (n: number) => Timestamp.fromMillis(n * minute);
          const entry = {
            startsAt: stamp(a),
            endsAt: stamp(a + aLength),
            ...(until === undefined ? {} : { until: stamp(until) }),
          };
          const span = { startsAt: new Date(b * minute), endsAt: new Date((b + bLength) * minute) };
          const minutesOf = (from: number, n: number) => Array.from({ length: n }, (_, i) => from + i);
          const meet = minutesOf(a, aLength).some((m) => minutesOf(b, bLength).includes(m));
          const live = until === undefined || until > now;
          const at = new Date(now * minute);
          expect(takenBy({ s: entry }, span, at)).toBe(meet && live ? 's' : undefined);
          expect(takenBy({ s: entry }, span, at, 's')).toBeUndefined();
          expect(Object.keys(stillTaken({ s: entry }, at))).toEqual(live ? ['s'] : []);
        },
      ),
    );
  });
});
