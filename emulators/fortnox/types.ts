/** The emulator's own words. Times are unix milliseconds, money is integer öre, dates are 'YYYY-MM-DD'. */

export type CoreRequest = {
  readonly method: string;
  /** Path with query, as on the request line. */
  readonly url: string;
  /** Lower-case header names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** The body as it came, for what is no text (a file). Left out: `body` in UTF-8. */
  readonly bytes?: Uint8Array;
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
      /** In the place of `body` when the answer is no text (a file, SIE in CP437). */
      readonly bytes?: Uint8Array;
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
  readonly costCenter: string;
};

export type Voucher = {
  readonly series: string;
  readonly number: number;
  readonly financialYear: number;
  readonly date: string;
  readonly description: string;
  readonly comments: string | null;
  readonly costCenter: string;
  readonly rows: readonly VoucherRow[];
  readonly createdAtMs: number;
};

export type AccessToken = {
  readonly clientId: string;
  readonly tenantId: number;
  readonly expiresAtMs: number;
  readonly scopes: readonly string[];
  /** The consent it came from; null for client credentials. */
  readonly grant: string | null;
};

/** One consent given on the authorization page, with all the tokens that descend from it. */
export type Grant = { readonly scopes: readonly string[]; readonly service: boolean; alive: boolean };

export type AuthorizationCode = { readonly grant: string; readonly redirectUri: string; readonly expiresAtMs: number };

export type RefreshToken = { readonly grant: string; readonly expiresAtMs: number; used: boolean };

/** What no source settles about Fortnox: each can be had both ways. */
export type Switches = {
  /** A refresh token used twice ends its whole consent, not only that call. */
  replayKillsChain: boolean;
  /** Status of a missing scope or licence: documented as 403, seen as 400. */
  scopeErrorStatus: 400 | 403;
  /** Which of an uploaded file's two ids a voucher file connection wants. */
  fileConnectionId: 'Id' | 'ArchiveFileId';
};

export type StoredFile = {
  readonly id: string;
  readonly archiveId: string;
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly contentBase64: string;
};

export type FileConnection = {
  readonly fileId: string;
  readonly series: string;
  readonly number: number;
  readonly financialYear: number;
};

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
  client: {
    readonly id: string;
    readonly secret: string;
    /** The scopes the app has in the developer portal. */
    scopes: readonly string[];
    /** The redirect addresses it has there; none: any http(s) address. */
    redirectUris: readonly string[];
  };
  /** The consent that client credentials live by; null: nobody has given it. */
  serviceConsent: { readonly scopes: readonly string[] } | null;
  /** `api`: the integration licence; `missing`: scopes whose module the company has not bought. */
  licences: { api: boolean; missing: readonly string[] };
  switches: Switches;
  /** Added to the caller's clock. */
  clockOffsetMs: number;
  years: FinancialYear[];
  /** The year Fortnox uses when a call names none; it stays where the user left it. */
  preselectedYear: number;
  books: Record<string, YearBook>;
  vouchers: Voucher[];
  /** Last locked day, or null. */
  lockedPeriod: string | null;
  /** By code; used for voucher rows and the filter on them. */
  costCenters: Record<string, string>;
  /** Account by name, e.g. SALES; company-wide. */
  predefinedAccounts: Record<string, number>;
  files: StoredFile[];
  fileConnections: FileConnection[];
  grants: Record<string, Grant>;
  codes: Record<string, AuthorizationCode>;
  refreshTokens: Record<string, RefreshToken>;
  tokens: Record<string, AccessToken>;
  tokensIssued: number;
  /** Times of the requests counted in the sliding window, by client id and tenant. */
  window: Record<string, number[]>;
  faults: Fault[];
  faultsMade: number;
  requests: RequestRecord[];
};
