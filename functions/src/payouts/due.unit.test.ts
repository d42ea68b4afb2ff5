import fc from 'fast-check';
import type { Cadence } from '../coaches/coaches.ts';
import { addDays, daysBetween, weekday, type BusinessDate } from '../platform/clock.ts';
import { bankingDayFrom, isBankingDay } from './calendar.ts';
import { dueIn, isNominalDueDate, windowOf } from './due.ts';

const cadences: Cadence[] = ['daily', 'weekly', 'biweekly', 'monthly', 'manual'];
const span = (from: BusinessDate, days: number) => Array.from({ length: days }, (_, n) => addDays(from, n));
const anyStart = fc.integer({ min: 0, max: 5000 }).map((n) => addDays('2024-01-01', n));

/** Days on which a run came, and what it paid. Runs on other than banking days do nothing, as in startRun. */
function play(cadence: Cadence, runs: readonly BusinessDate[], first: BusinessDate) {
  let lastDone = first;
  const paid: { day: BusinessDate; dueDate: BusinessDate }[] = [];
  for (const day of runs) {
    if (!isBankingDay(day) || day <= lastDone) continue;
    const dueDate = dueIn(cadence, windowOf(day, lastDone));
    if (dueDate) paid.push({ day, dueDate });
    lastDone = day;
  }
  return paid;
}

describe('who is due', () => {
  it.each([
    ['daily', '2026-11-22', true],
    ['weekly', '2026-11-23', true],
    ['weekly', '2026-11-24', false],
    ['biweekly', '2026-11-23', true],
    ['biweekly', '2026-11-16', false],
    ['monthly', '2026-11-01', true],
    ['monthly', '2026-11-02', false],
    ['manual', '2026-11-23', false],
  ] as const)('%s on %s: %s', (cadence, date, due) => {
    expect(isNominalDueDate(cadence, date)).toBe(due);
  });

  it('pays every second week in every year there is, also one of 53 weeks', () => {
    const due = span('2026-01-01', 365 * 8).filter((date) => isNominalDueDate('biweekly', date));
    const pauses = due.slice(1).map((date, n) => daysBetween(due[n] ?? '', date));
    expect(new Set(pauses)).toEqual(new Set([14]));
    expect(due.every((date) => weekday(date) === 1)).toBe(true);
    // 2026 has 53 weeks; days before the first fortnight are counted backwards.
    expect(due).toContain('2026-12-21');
    expect(due).toContain('2027-01-04');
    expect(isNominalDueDate('biweekly', '2025-12-22')).toBe(true);
    expect(isNominalDueDate('biweekly', '2025-12-29')).toBe(false);
  });

  it('pays a Monday on which banks are closed the next day they are open', () => {
    expect(dueIn('weekly', windowOf('2026-04-06', '2026-04-02'))).toBeUndefined();
    expect(dueIn('weekly', windowOf('2026-04-07', '2026-04-02'))).toBe('2026-04-06');
    expect(dueIn('monthly', windowOf('2026-11-02', '2026-10-30'))).toBe('2026-11-01');
  });

  it('on every day there is pays each due date once, on its pay date', () => {
    fc.assert(
      fc.property(anyStart, fc.constantFrom(...cadences), (from, cadence) => {
        const days = span(from, 120);
        for (const { day, dueDate } of play(cadence, days.slice(1), from)) expect(bankingDayFrom(dueDate)).toBe(day);
        const due = days.filter((date) => isNominalDueDate(cadence, date));
        const payDates = new Set(due.map(bankingDayFrom).filter((date) => date > from && date <= addDays(from, 119)));
        // A due date before the first day may still be paid after it.
        expect(play(cadence, days.slice(1), from).map(({ day }) => day)).toEqual(expect.arrayContaining([...payDates]));
      }),
      { numRuns: 40 },
    );
  });

  it('skipped and doubled runs pay no due date twice, and the next run makes up for what was missed', () => {
    const someRuns = fc.array(fc.tuple(fc.integer({ min: 1, max: 119 }), fc.integer({ min: 1, max: 3 })));
    fc.assert(
      fc.property(anyStart, fc.constantFrom(...cadences), someRuns, (from, cadence, picked) => {
        const runs = picked.flatMap(([n, times]) => Array<BusinessDate>(times).fill(addDays(from, n))).sort();
        const paid = play(cadence, runs, from);
        expect(new Set(paid.map(({ dueDate }) => dueDate)).size).toBe(paid.length);
        const lastRun = runs.filter(isBankingDay).at(-1);
        const missed = span(from, 120).filter(
          (date) =>
            isNominalDueDate(cadence, date) &&
            lastRun &&
            bankingDayFrom(date) <= lastRun &&
            bankingDayFrom(date) > from,
        );
        // What was missed is paid with the latest due date that was missed with it.
        for (const date of missed) expect(paid.some(({ day, dueDate }) => dueDate >= date && day >= date)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});
