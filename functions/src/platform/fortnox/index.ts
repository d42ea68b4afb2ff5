/** The product's Fortnox client. */
export { createFortnoxClient, FORTNOX_API_BASE, FORTNOX_TOKEN_BASE } from './client.ts';
export type {
  CompanyInformation,
  FinancialYear,
  FortnoxAccount,
  FortnoxClient,
  FortnoxClientConfig,
  FortnoxVoucher,
  VoucherId,
  VoucherSeries,
  VoucherSummary,
} from './client.ts';
export { FortnoxError } from './errors.ts';
export type { FortnoxErrorDetails, FortnoxErrorKind } from './errors.ts';
export { formatMinor, parseMinor } from './money.ts';
export { sanitizeText } from './text.ts';
export { DESCRIPTION_MAX, ROW_TEXT_MAX } from './voucher.ts';
export type { NewVoucher, NewVoucherRow } from './voucher.ts';
