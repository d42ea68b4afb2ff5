import fc from 'fast-check';
import { addDays, businessDate, hours, startOfBusinessDate, weekday } from './clock.ts';

describe('business time', () => {
  it('a Stockholm day starts before and ends after every instant in it, on every day of ten years', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date('2024-01-01'), max: new Date('2034-01-01'), noInvalidDate: true }), (at) => {
        const date = businessDate(at);
        expect(startOfBusinessDate(date).getTime()).toBeLessThanOrEqual(at.getTime());
        expect(startOfBusinessDate(addDays(date, 1)).getTime()).toBeGreaterThan(at.getTime());
      }),
    );
  });

  it('knows the short and the long day of summer time', () => {
    const length = (date: string) =>
      startOfBusinessDate(addDays(date, 1)).getTime() - startOfBusinessDate(date).getTime();
    expect(length('2026-03-29')).toBe(hours(23));
    expect(length('2026-10-25')).toBe(hours(25));
    expect(length('2028-02-29')).toBe(hours(24));
  });

  it('late evening in UTC is the next day in Stockholm', () => {
    expect(businessDate(new Date('2026-11-22T23:30:00Z'))).toBe('2026-11-23');
    expect(weekday('2026-11-23')).toBe(1);
  });
});
