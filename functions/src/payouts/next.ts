import type { Cadence, PayoutObstacle } from '../coaches/coaches.ts';
import { addDays, type BusinessDate } from '../platform/clock.ts';
import type { Minor } from '../platform/money.ts';
import type { NothingReason } from './amount.ts';
import { bankingDayFrom } from './calendar.ts';
import { isNominalDueDate } from './due.ts';

/** What the next run will pay a coach as things stand. */
export interface NextPayout {
  /** The day it is made; null: payouts are by hand. */
  date: BusinessDate | null;
  amountMinor: Minor;
  /** Why it would be nothing; null when it is paid. */
  reason: NothingReason | PayoutObstacle | 'by-hand' | null;
}

/** A month and the longest pause of the banks: every cadence is due at least once in it. */
const horizon = 45;
/** A due date may be paid this many days later. */
const longestPause = 10;

/** The first day from this one on which a run pays a coach of this cadence; undefined when only a person does. */
export function nextPayDate(cadence: Cadence, from: BusinessDate): BusinessDate | undefined {
  for (let ahead = -longestPause; ahead <= horizon; ahead++) {
    const date = addDays(from, ahead);
    if (!isNominalDueDate(cadence, date)) continue;
    const payDate = bankingDayFrom(date);
    if (payDate >= from) return payDate;
  }
  return undefined;
}
