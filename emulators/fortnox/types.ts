/** The emulator's own words. Times are unix milliseconds, money is integer öre, dates are 'YYYY-MM-DD'. */

export type CoreRequest = {
  readonly method: string;
  /** Path with query, as on the request line. */
  readonly url: string;
  /** Lower-case header names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** What `@url` fields start with, e.g. http://127.0.0.1:12112 */
  readonly origin: string;
};

/** What the shell does with the socket: answer, or destroy it without a word. Either after `delayMs` of real time. */
export type CoreReply =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      readonly delayMs: number;
    }
  | { readonly kind: 'drop'; readonly delayMs: number };

export type Answer = Omit<Extract<CoreReply, { kind: 'answer' }>, 'kind' | 'delayMs'>;

export type Company = {
  readonly name: string;
  readonly organizationNumber: string;
  /** Fortnox's DatabaseNumber, which is the TenantId of the token call. */
  readonly tenantId: number;
};

export type FinancialYear = { readonly id: number; readonly from: string; readonly to: string };

export type Account = { readonly number: number; description: string; active: boolean };

export type Series = { readonly code: string; description: string; manual: boolean };

/** What Fortnox keeps per financial year: the chart, the series and their numbering. */
export type YearBook = {
  accounts: Record<string, Account>;
  series: Record<string, Series>;
  /** Next voucher number by series; a number is never given twice. */
  nextNumber: Record<string, number>;
};

export type VoucherRow = {
  readonly account: number;
  readonly debitOre: number;
  readonly creditOre: number;
  readonly text: string;
};

export type Voucher = {
  readonly series: string;
  readonly number: number;
  readonly financialYear: number;
  readonly date: string;
  readonly description: string;
  readonly comments: string | null;
  readonly rows: readonly VoucherRow[];
  readonly createdAtMs: number;
};

export type AccessToken = { readonly clientId: string; readonly tenantId: number; readonly expiresAtMs: number };

export const FAULT_KINDS = [
  'commit_then_drop',
  'timeout_before',
  'error_500_before',
  'error_500_after',
  'rate_limit',
  'html_error',
  'unauthorized',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export type Fault = {
  readonly id: number;
  readonly kind: FaultKind;
  readonly method?: string;
  /** Start of the path. Without one a fault hits /3/ only, so that a token call does not swallow it. */
  readonly path?: string;
  readonly delayMs: number;
  times: number;
};

export type RequestRecord = {
  readonly at: number;
  readonly method: string;
  readonly url: string;
  /** null when the socket was dropped instead of answered. */
  readonly status: number | null;
  readonly fault: FaultKind | null;
  readonly body: string | null;
};

/** Everything the emulator knows; plain JSON. */
export type State = {
  company: Company;
  client: { readonly id: string; readonly secret: string };
  /** Added to the caller's clock. */
  clockOffsetMs: number;
  years: FinancialYear[];
  /** The year Fortnox uses when a call names none; it stays where the user left it. */
  preselectedYear: number;
  books: Record<string, YearBook>;
  vouchers: Voucher[];
  /** Last locked day, or null. */
  lockedPeriod: string | null;
  tokens: Record<string, AccessToken>;
  tokensIssued: number;
  /** Times of the requests counted in the sliding window, by client id and tenant. */
  window: Record<string, number[]>;
  faults: Fault[];
  faultsMade: number;
  requests: RequestRecord[];
};
