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

/** The first instant of a Stockholm day. On summer-time nights the day is 23 or 25 hours long; its start never moves. */
export function startOfBusinessDate(date: BusinessDate): Date {
  const start = DateTime.fromISO(date, { zone: businessZone }).startOf('day');
  if (!start.isValid) throw new RangeError(`Not a calendar day: ${date}`);
  return start.toJSDate();
}

export function addDays(date: BusinessDate, days: number): BusinessDate {
  return DateTime.fromISO(date, { zone: 'utc' }).plus({ days }).toFormat('yyyy-MM-dd');
}

/** 1 Monday … 7 Sunday. */
export function weekday(date: BusinessDate): number {
  return DateTime.fromISO(date, { zone: 'utc' }).weekday;
}

export const minutes = (n: number): number => n * 60_000;
export const hours = (n: number): number => n * 3_600_000;
export const days = (n: number): number => n * 86_400_000;
