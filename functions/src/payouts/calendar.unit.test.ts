import Holidays from 'date-holidays';
import { addDays, weekday } from '../platform/clock.ts';
import { bankingDayFrom, isBankingDay } from './calendar.ts';

describe("the Swedish banks' calendar", () => {
  it('agrees with date-holidays on every day from 2024 to 2040', () => {
    const holidays = new Holidays('SE');
    const differ: string[] = [];
    for (let year = 2024; year <= 2040; year++) {
      const closed = new Set(
        holidays
          .getHolidays(year)
          .filter(({ type }) => type === 'public' || type === 'bank')
          .map(({ date }) => date.slice(0, 10)),
      );
      for (let date = `${year}-01-01`; date.startsWith(String(year)); date = addDays(date, 1)) {
        if (isBankingDay(date) !== (weekday(date) <= 5 && !closed.has(date))) differ.push(date);
      }
    }
    expect(differ).toEqual([]);
  });

  it.each([
    ['2026-12-24', '2026-12-28'],
    ['2026-12-31', '2027-01-04'],
    ['2026-04-03', '2026-04-07'],
    ['2026-06-19', '2026-06-22'],
    ['2026-11-23', '2026-11-23'],
  ])('moves %s to %s', (date, payDate) => {
    expect(bankingDayFrom(date)).toBe(payDate);
  });
});
