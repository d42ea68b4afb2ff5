import { z } from 'zod';
import { parseMinor } from './money.ts';

/** Fortnox's replies, as much of them as the product reads, with a field's quirks smoothed where it is read. */

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

const minor = z.number().transform((value, context) => {
  const parsed = parseMinor(value);
  if (parsed !== null) return parsed;
  context.addIssue({ code: 'custom', message: `${value} is not an amount with at most two decimals` });
  return z.NEVER;
});

export const financialYearsReply = z.object({
  FinancialYears: z.array(z.object({ Id: z.int(), FromDate: z.iso.date(), ToDate: z.iso.date() })),
});

/** A year's chart, a page of it. */
export const chartReply = z.object({
  MetaInformation: z.object({ '@TotalPages': z.int() }),
  Accounts: z.array(z.object({ Number: z.int(), Active: z.boolean() })),
});

export const accountReply = z.object({
  Account: z.object({ Number: z.int(), Description: text, Active: z.boolean() }),
});

export const seriesReply = z.object({
  VoucherSeries: z.object({ Code: z.string(), Description: text, Manual: z.boolean(), NextVoucherNumber: z.int() }),
});

export const createdVoucherReply = z.object({
  Voucher: z.object({ VoucherSeries: z.string(), VoucherNumber: z.int(), Year: z.int() }),
});

export const voucherReply = z.object({
  Voucher: z.object({
    VoucherSeries: z.string(),
    VoucherNumber: z.int(),
    Year: z.int(),
    Description: text,
    TransactionDate: z.iso.date(),
    VoucherRows: z.array(
      z.object({
        Account: z.int(),
        Debit: minor,
        Credit: minor,
        TransactionInformation: text,
        Removed: z.boolean().nullish(),
      }),
    ),
  }),
});

export const voucherListReply = z.object({
  MetaInformation: z.object({ '@TotalPages': z.int() }),
  Vouchers: z.array(
    z.object({ VoucherSeries: z.string(), VoucherNumber: z.int(), Description: text, TransactionDate: z.iso.date() }),
  ),
});

export const companyReply = z.object({
  CompanyInformation: z.object({ CompanyName: z.string(), OrganizationNumber: text, DatabaseNumber: z.int() }),
});

export const fileReply = z.object({ File: z.object({ Id: z.string().min(1), ArchiveFileId: text }) });

export const fileConnectionReply = z.object({ VoucherFileConnection: z.object({ FileId: z.string().min(1) }) });

/** No lock has been seen described only as "no date is returned": absent, null and empty all mean it. */
export const lockedPeriodReply = z.object({ LockedPeriod: z.object({ EndDate: text }).nullish() });
