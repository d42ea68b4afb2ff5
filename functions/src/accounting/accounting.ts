import type { Timestamp } from 'firebase-admin/firestore';
import type { BusinessDate } from '../platform/clock.ts';
import type { Minor } from '../platform/money.ts';

/** `rejected`: Fortnox said no, a person must act. `unknown`: may have been posted; looked up by its key before anything else. */
export type VoucherState = 'ready' | 'sending' | 'posted' | 'rejected' | 'unknown';

export interface VoucherRow {
  account: number;
  debitMinor: Minor;
  creditMinor: Minor;
  text: string;
}

/** `vouchers/{id}`: frozen when made; only its state moves. */
export interface Voucher {
  id: string;
  ledgerIds: string[];
  profile: 'specification';
  ruleVersion: number;
  series: string;
  date: BusinessDate;
  description: string;
  /** Short and unique, part of the description: Fortnox has no idempotency, so a voucher is found again by it. */
  key: string;
  rows: VoucherRow[];
  state: VoucherState;
  /** "S 12 (2026)": series, number and the year it starts in. */
  fortnoxReference?: string;
  fortnoxNumber?: number;
  financialYearId?: number;
  payoutId?: string;
  attempts: number;
  error?: string;
  errorCode?: number;
  sendingSince?: Timestamp;
  createdAt: Timestamp;
  updatedAt: Timestamp;
  postedAt?: Timestamp;
}
