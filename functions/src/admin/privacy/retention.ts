import { Timestamp } from 'firebase-admin/firestore';
import { businessDate, startOfBusinessDate, type BusinessDate } from '../../platform/clock.ts';

/** Bokföringslagen 7 kap. 2 §; for sellers told to the tax authority the Tax Procedures Act (39 kap. 3 §) asks for the same. */
const yearsKept = 7;

/**
 * When what was booked that day may go: with the end of the seventh year after the calendar year in which the financial
 * year ended. `yearStart` is the first day of financial years, "07-01".
 */
export function eraseAfter(booked: BusinessDate, yearStart: string): Timestamp {
  const year = Number(booked.slice(0, 4));
  const endsNextYear = yearStart !== '01-01' && booked.slice(5) >= yearStart;
  const ended = endsNextYear ? year + 1 : year;
  return Timestamp.fromDate(startOfBusinessDate(`${ended + yearsKept + 1}-01-01`));
}

export const bookedOn = (at: Timestamp): BusinessDate => businessDate(at.toDate());
