import type { Timestamp } from 'firebase-admin/firestore';
import { businessDate, businessMoment, days, hours, weekday, type BusinessDate } from '../platform/clock.ts';
import { Refusal } from '../platform/errors.ts';

/** How many hours of the week and days of exception a coach names at most, and how many days are looked at in one call. */
export const limits = { weekly: 50, exceptions: 200, horizonDays: 365, noticeHours: 336, daysShown: 31 } as const;

/** What a coach has who does not say otherwise. */
export const usual = { noticeHours: 12, horizonDays: 90 } as const;

/** Sessions start at whole steps of these minutes, so that two coaches' clients see the same times. */
export const startStepMinutes = 5;

/** Stockholm's clock, "09:00" to "17:30"; "24:00" is the end of the day. */
export interface Hours {
  from: string;
  to: string;
}

/** 1 Monday … 7 Sunday. */
export type WeeklyHours = Hours & { weekday: number };

/** `off`: none of the week's hours that day. `extra`: hours beside them, or instead of them where the day is off. */
export type Exception = { kind: 'off'; date: BusinessDate } | ({ kind: 'extra'; date: BusinessDate } & Hours);

/** `availability/{coachId}`: when a coach can be booked. Any signed-in user reads it. */
export interface Availability {
  weekly: WeeklyHours[];
  exceptions: Exception[];
  /** How long sessions are whose product does not say. */
  sessionMinutes?: number;
  /** Not booked later than so long before they start. */
  noticeHours: number;
  /** Not booked further ahead. */
  horizonDays: number;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

/** What of a day is taken, by session. Without `until` for good; with it, only until then unless it is paid for. */
export type Taken = Readonly<Record<string, { startsAt: Timestamp; endsAt: Timestamp; until?: Timestamp }>>;

/**
 * `coachDays/{coachId}_{date}`: what of a coach's day (Stockholm's) is taken. One document a day: whoever books, moves or
 * cancels reads and writes it in the same transaction, so that no time is given twice.
 */
export interface CoachDay {
  coachId: string;
  date: BusinessDate;
  taken: Taken;
}

export interface Span {
  startsAt: Date;
  endsAt: Date;
}

/** When the coach works on a day, in order; hours that meet are one. On summer-time nights they are what the clock shows. */
export function openOn(
  date: BusinessDate,
  { weekly, exceptions }: Pick<Availability, 'weekly' | 'exceptions'>,
): Span[] {
  const today = exceptions.filter((exception) => exception.date === date);
  const weeks = today.some(({ kind }) => kind === 'off') ? [] : weekly.filter((each) => each.weekday === weekday(date));
  const spans = [...weeks, ...today.filter((exception) => exception.kind === 'extra')]
    .map(({ from, to }) => ({ startsAt: businessMoment(date, from), endsAt: businessMoment(date, to) }))
    .filter(({ startsAt, endsAt }) => startsAt < endsAt);
  return joined(spans);
}

function joined(spans: Span[]): Span[] {
  const out: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.startsAt.getTime() - b.startsAt.getTime())) {
    const last = out.at(-1);
    if (last && span.startsAt <= last.endsAt) last.endsAt = span.endsAt > last.endsAt ? span.endsAt : last.endsAt;
    else out.push({ ...span });
  }
  return out;
}

const stepMs = startStepMinutes * 60_000;
const onStep = (ms: number): number => Math.ceil(ms / stepMs) * stepMs;

/** The times of a day at which a session so long can be booked: in every gap from its first minute, one after the other. */
export function freeTimes(
  date: BusinessDate,
  offered: Availability,
  taken: Taken,
  lengthMs: number,
  now: Date,
): Span[] {
  const [from, to] = bookableFromTo(offered, now);
  const busy = Object.values(stillTaken(taken, now))
    .map(({ startsAt, endsAt }) => [startsAt.toMillis(), endsAt.toMillis()] as const)
    .toSorted(([a], [b]) => a - b);
  const free: number[] = [];
  for (const open of openOn(date, offered)) {
    const end = open.endsAt.getTime();
    let at = onStep(open.startsAt.getTime());
    for (const [busyFrom, busyTo] of [...busy, [end, end] as const]) {
      for (; at + lengthMs <= Math.min(busyFrom, end); at = onStep(at + lengthMs)) free.push(at);
      at = Math.max(at, onStep(busyTo));
    }
  }
  return free
    .filter((at) => at > now.getTime() && at >= from && at <= to)
    .map((at) => ({ startsAt: new Date(at), endsAt: new Date(at + lengthMs) }));
}

const bookableFromTo = ({ noticeHours, horizonDays }: Availability, now: Date): [from: number, to: number] => [
  now.getTime() + hours(noticeHours),
  now.getTime() + days(horizonDays),
];

/** Throws the Refusal of a time that the coach does not offer: outside the hours, too soon, too far ahead. */
export function requireOffered(span: Span, availability: Availability | undefined, now: Date): void {
  const { startsAt, endsAt } = span;
  const refused = (reason: string, message: string) => new Refusal('failed-precondition', reason, message);
  if (startsAt.getTime() % stepMs !== 0)
    throw new Refusal('invalid-argument', 'start-not-on-step', `Sessions start at whole ${startStepMinutes} minutes.`);
  if (!availability) throw refused('coach-without-hours', 'This coach has not said yet when they can be booked.');
  if (startsAt <= now) throw refused('start-in-the-past', 'This time is over. Choose a later one.');
  const { noticeHours, horizonDays } = availability;
  const [from, to] = bookableFromTo(availability, now);
  if (startsAt.getTime() < from)
    throw refused('too-short-notice', `This coach is booked at least ${noticeHours} hours before.`);
  if (startsAt.getTime() > to)
    throw refused('too-far-ahead', `This coach is booked at most ${horizonDays} days ahead.`);
  const open = openOn(businessDate(startsAt), availability);
  if (!open.some((each) => each.startsAt <= startsAt && endsAt <= each.endsAt))
    throw refused('outside-hours', 'The coach does not work at this time. Choose another.');
}

/** The session that has a part of this time, if any: held by a booking that is paid, being paid, or may still be. */
export function takenBy(taken: Taken, span: Span, now: Date, except?: string): string | undefined {
  const [id] =
    Object.entries(taken).find(
      ([id, other]) =>
        id !== except &&
        !isOver(other, now) &&
        other.startsAt.toMillis() < span.endsAt.getTime() &&
        span.startsAt.getTime() < other.endsAt.toMillis(),
    ) ?? [];
  return id;
}

const isOver = ({ until }: Taken[string], now: Date): boolean =>
  until !== undefined && until.toMillis() <= now.getTime();

/** The day without bookings that were not paid in time. */
export function stillTaken(taken: Taken, now: Date): Taken {
  return Object.fromEntries(Object.entries(taken).filter(([, entry]) => !isOver(entry, now)));
}

/** Throws the Refusal of hours that contradict each other. What single fields may be is the schema's. */
export function requireSound({ weekly, exceptions }: Pick<Availability, 'weekly' | 'exceptions'>): void {
  const groups = new Map<string, Hours[]>();
  const add = (day: string, { from, to }: Hours) => {
    if (from >= to) throw new Refusal('invalid-argument', 'hours-backwards', `${day}: ${from} is not before ${to}.`);
    groups.set(day, [...(groups.get(day) ?? []), { from, to }]);
  };
  for (const each of weekly) add(`weekday ${each.weekday}`, each);
  for (const exception of exceptions) {
    if (exception.kind === 'extra') add(exception.date, exception);
  }
  for (const [day, list] of groups) {
    const sorted = list.toSorted((a, b) => (a.from < b.from ? -1 : 1));
    const clash = sorted.find(({ from }, index) => from < (sorted[index - 1]?.to ?? ''));
    if (clash)
      throw new Refusal(
        'invalid-argument',
        'hours-overlap',
        `${day}: ${clash.from} to ${clash.to} overlaps other hours.`,
      );
  }
}
