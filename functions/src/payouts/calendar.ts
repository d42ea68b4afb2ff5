import { addDays, weekday, type BusinessDate } from '../platform/clock.ts';

/** Days on which Swedish banks move no money although the weekday would allow it, as MM-DD; the last two are eves. */
const fixed = new Set(['01-01', '01-06', '05-01', '06-06', '12-25', '12-26', '12-24', '12-31']);

/** Days after Easter Sunday: Good Friday, Easter Monday, Ascension Day. (Easter and Pentecost themselves are Sundays.) */
const fromEaster = [-2, 1, 39];

/**
 * Whether Swedish banks move money on this day: not on weekends, public holidays (Lag 1989:253) and the eves of
 * Midsummer, Christmas and New Year, which the banks' day follows.
 */
export function isBankingDay(date: BusinessDate): boolean {
  if (weekday(date) > 5 || fixed.has(date.slice(5)) || isMidsummerEve(date)) return false;
  const easter = easterSunday(Number(date.slice(0, 4)));
  return !fromEaster.some((days) => addDays(easter, days) === date);
}

/** That day, or the next one on which banks move money. */
export function bankingDayFrom(date: BusinessDate): BusinessDate {
  let day = date;
  while (!isBankingDay(day)) day = addDays(day, 1);
  return day;
}

/** The Friday between 19 and 25 June. */
function isMidsummerEve(date: BusinessDate): boolean {
  return weekday(date) === 5 && date.slice(5) >= '06-19' && date.slice(5) <= '06-25';
}

/** Easter of the Gregorian calendar (Meeus, Jones and Butcher's algorithm). */
function easterSunday(year: number): BusinessDate {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const g = Math.floor((8 * b + 13) / 25);
  const h = (19 * a + b - d - g + 15) % 30;
  const i = Math.floor(c / 4);
  const k = c % 4;
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const month = Math.floor((h + l - 7 * m + 114) / 31);
  const day = ((h + l - 7 * m + 114) % 31) + 1;
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}
