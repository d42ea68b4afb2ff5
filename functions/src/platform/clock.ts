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

/** A calendar day as the UTC day of the same name, which is 24 hours long; throws RangeError where there is no such day. */
function utcDay(date: BusinessDate): Date {
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(day.getTime())) throw new RangeError(`Not a calendar day: ${date}`);
  return day;
}

export function addDays(date: BusinessDate, count: number): BusinessDate {
  return new Date(utcDay(date).getTime() + days(count)).toISOString().slice(0, 10);
}

/** Whole days from one calendar day to another; negative when the second is earlier. */
export function daysBetween(from: BusinessDate, to: BusinessDate): number {
  return (utcDay(to).getTime() - utcDay(from).getTime()) / days(1);
}

/** 1 Monday … 7 Sunday. */
export function weekday(date: BusinessDate): number {
  return utcDay(date).getUTCDay() || 7;
}

export const minutes = (n: number): number => n * 60_000;
export const hours = (n: number): number => n * 3_600_000;
export const days = (n: number): number => n * 86_400_000;
