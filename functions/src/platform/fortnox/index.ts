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
export { rotatingRefreshToken } from './rotating-token.ts';
export type { RotatingSettings } from './rotating-token.ts';
export type { SieVoucher } from './sie.ts';
export { sanitizeText } from './text.ts';
export { clientCredentials } from './token.ts';
export { createTokenLock } from './token-lock.ts';
export type { TokenLock, TokenLockDocument } from './token-lock.ts';
export type { TokenHttp, TokenSource } from './token-source.ts';
export { DESCRIPTION_MAX, ROW_TEXT_MAX } from './voucher.ts';
export type { NewVoucher, NewVoucherRow } from './voucher.ts';
