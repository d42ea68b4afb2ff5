import { DateTime } from 'luxon';

/** Business time. Timestamps are UTC; days, weeks and due dates are Stockholm's. */
export const businessZone = 'Europe/Stockholm';

export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** A calendar day in Stockholm, "2026-11-23". */
export type BusinessDate = string;

export function businessDate(at: Date): BusinessDate {
  return DateTime.fromJSDate(at, { zone: businessZone }).toFormat('yyyy-MM-dd');
}

/** A moment as people in Stockholm write it: "2026-11-23 08:00". */
export function businessTime(at: Date): string {
  return DateTime.fromJSDate(at, { zone: businessZone }).toFormat('yyyy-MM-dd HH:mm');
}

/** The first instant of a Stockholm day. On summer-time nights the day is 23 or 25 hours long; its start never moves. */
export function startOfBusinessDate(date: BusinessDate): Date {
  const start = DateTime.fromISO(date, { zone: businessZone }).startOf('day');
  if (!start.isValid) throw new RangeError(`Not a calendar day: ${date}`);
  return start.toJSDate();
}

/**
 * The moment at which a clock in Stockholm shows this time of the day, "09:30"; "24:00" is the end of the day. A time that
 * comes twice on the night in autumn is the first; one that the night in spring skips is the moment of the skip.
 */
export function businessMoment(date: BusinessDate, time: string): Date {
  const shown = DateTime.fromISO(`${date}T${time}`, { zone: businessZone });
  if (!shown.isValid) throw new RangeError(`Not a time of a day: ${date} ${time}`);
  const skipped = time !== '24:00' && shown.toFormat('HH:mm') !== time;
  if (skipped) return shown.startOf('hour').toJSDate();
  return new Date(Math.min(...shown.getPossibleOffsets().map((possible) => possible.toMillis())));
}

export function addDays(date: BusinessDate, days: number): BusinessDate {
  return DateTime.fromISO(date, { zone: 'utc' }).plus({ days }).toFormat('yyyy-MM-dd');
}

/** Whole days from one calendar day to another; negative when the second is earlier. */
export function daysBetween(from: BusinessDate, to: BusinessDate): number {
  const day = (date: BusinessDate) => DateTime.fromISO(date, { zone: 'utc' });
  return day(to).diff(day(from), 'days').days;
}

/** 1 Monday … 7 Sunday. */
export function weekday(date: BusinessDate): number {
  return DateTime.fromISO(date, { zone: 'utc' }).weekday;
}

export const minutes = (n: number): number => n * 60_000;
export const hours = (n: number): number => n * 3_600_000;
export const days = (n: number): number => n * 86_400_000;
