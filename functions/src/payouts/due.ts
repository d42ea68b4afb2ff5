import type { Cadence } from '../coaches/coaches.ts';
import { addDays, daysBetween, weekday, type BusinessDate } from '../platform/clock.ts';
import { bankingDayFrom } from './calendar.ts';

/** A Monday. Fortnights are counted from it and not by week numbers: a year of 53 weeks would make a pause of three. */
const firstFortnight: BusinessDate = '2026-01-05';

/** Whether a coach of this cadence is due on this day of the calendar, before banks have their say. */
export function isNominalDueDate(cadence: Cadence, date: BusinessDate): boolean {
  switch (cadence) {
    case 'daily':
      return true;
    case 'weekly':
      return weekday(date) === 1;
    case 'biweekly':
      return daysBetween(firstFortnight, date) % 14 === 0;
    case 'monthly':
      return date.endsWith('-01');
    case 'manual':
      return false;
  }
}

/** No two Swedish banking days lie further apart than this. */
const longestPause = 10;

/** What one run answers for: after the last run that was completed, up to and including its own day. */
export interface Window {
  after: BusinessDate;
  through: BusinessDate;
}

/** With no run before it, a run answers for the last seven days. */
export function windowOf(day: BusinessDate, lastDone: BusinessDate | undefined): Window {
  return { after: lastDone ?? addDays(day, -7), through: day };
}

/**
 * The due date a run pays, if any: the latest whose pay date (that day or the next banking day) lies in the run's
 * window. Windows of successive runs meet without gap or overlap, so a run skipped or doubled changes nothing.
 */
export function dueIn(cadence: Cadence, window: Window): BusinessDate | undefined {
  const earliest = addDays(window.after, -longestPause);
  for (let date = window.through; date >= earliest; date = addDays(date, -1)) {
    if (!isNominalDueDate(cadence, date)) continue;
    const payDate = bankingDayFrom(date);
    if (payDate <= window.after) return undefined;
    if (payDate <= window.through) return date;
  }
  return undefined;
}
