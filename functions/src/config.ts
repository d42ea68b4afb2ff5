import { defineInt, defineSecret, defineString } from 'firebase-functions/params';
import { z } from 'zod';

/** Region, currency, fee and the like: params with the design's defaults. Set them in `.env` or `.env.PROJECT`. */
const params = {
  stripePublishableKey: defineString('STRIPE_PUBLISHABLE_KEY', { default: '' }),
  stripeApiBase: defineString('STRIPE_API_BASE', { default: 'https://api.stripe.com' }),
  fortnoxApiBase: defineString('FORTNOX_API_BASE', { default: 'https://api.fortnox.se' }),
  fortnoxTokenBase: defineString('FORTNOX_TOKEN_BASE', { default: '' }),
  fortnoxTenantId: defineString('FORTNOX_TENANT_ID', { default: '' }),
  fortnoxRedirectUri: defineString('FORTNOX_REDIRECT_URI', { default: '' }),
  fortnoxAuth: defineString('FORTNOX_AUTH', { default: 'client_credentials' }),
  platformFeePercent: defineString('PLATFORM_FEE_PERCENT', { default: '20' }),
  feeRounding: defineString('FEE_ROUNDING', { default: 'whole' }),
  stripeFeePercent: defineString('STRIPE_FEE_PERCENT', { default: '1.5' }),
  stripeFeeFixedMinor: defineInt('STRIPE_FEE_FIXED_MINOR', { default: 180 }),
  currency: defineString('CURRENCY', { default: 'sek' }),
  acceptedCurrencies: defineString('ACCEPTED_CURRENCIES', { default: '' }),
  receipts: defineString('RECEIPTS', { default: 'stripe' }),
  refundApprovalLimit: defineInt('REFUND_APPROVAL_LIMIT', { default: 500_000 }),
  orderLifetimeHours: defineInt('ORDER_LIFETIME_HOURS', { default: 24 }),
  invoiceLifetimeDays: defineInt('INVOICE_LIFETIME_DAYS', { default: 30 }),
  accountingProfile: defineString('ACCOUNTING_PROFILE', { default: 'specification' }),
  voucherGrouping: defineString('VOUCHER_GROUPING', { default: 'transaction' }),
  stripeFeeVat: defineString('STRIPE_FEE_VAT', { default: 'exempt' }),
  accountNumbers: defineString('ACCOUNT_NUMBERS', { default: '' }),
  lockedPeriod: defineString('LOCKED_PERIOD', { default: 'hold' }),
  financialYearStart: defineString('FINANCIAL_YEAR_START', { default: '01-01' }),
  voucherSeries: defineString('VOUCHER_SERIES', { default: 'S' }),
  clearingAccount: defineInt('CLEARING_ACCOUNT', { default: 1686 }),
  allowedOrigins: defineString('ALLOWED_ORIGINS', { default: '' }),
  enforceAppCheck: defineString('ENFORCE_APP_CHECK', { default: 'false' }),
  bankChangeRestHours: defineInt('BANK_CHANGE_REST_HOURS', { default: 48 }),
  termsApprovalPercent: defineInt('TERMS_APPROVAL_PERCENT', { default: 10 }),
  platformName: defineString('PLATFORM_NAME', { default: '' }),
  platformAddress: defineString('PLATFORM_ADDRESS', { default: '' }),
  platformVatNumber: defineString('PLATFORM_VAT_NUMBER', { default: '' }),
  platformOrganisationNumber: defineString('PLATFORM_ORGANISATION_NUMBER', { default: '' }),
  platformBusinessName: defineString('PLATFORM_BUSINESS_NAME', { default: '' }),
  automaticTax: defineString('AUTOMATIC_TAX', { default: 'false' }),
  schedulerServiceAccount: defineString('SCHEDULER_SERVICE_ACCOUNT', { default: '' }),
  disputeLoss: defineString('DISPUTE_LOSS', { default: 'coach' }),
  sessionMinutes: defineInt('SESSION_MINUTES', { default: 60 }),
  sessionPaymentMinutes: defineInt('SESSION_PAYMENT_MINUTES', { default: 30 }),
  sessionFreeCancelHours: defineInt('SESSION_FREE_CANCEL_HOURS', { default: 24 }),
  sessionLateCancelKeptPercent: defineInt('SESSION_LATE_CANCEL_KEPT_PERCENT', { default: 50 }),
  sessionAutoCompleteHours: defineInt('SESSION_AUTO_COMPLETE_HOURS', { default: 48 }),
  sessionRescheduleLimit: defineInt('SESSION_RESCHEDULE_LIMIT', { default: 3 }),
  platformReserveMinor: defineInt('PLATFORM_RESERVE_MINOR', { default: 0 }),
  writeOffApprovalLimit: defineInt('WRITE_OFF_APPROVAL_LIMIT', { default: 500_000 }),
};

/**
 * Secrets that a deploy pins. Firebase refuses to deploy while one of them does not exist, so `npm run secrets` makes those
 * that are not needed yet with the placeholder "unset", which never verifies anything.
 */
export const secrets = {
  stripeSecretKey: defineSecret('STRIPE_SECRET_KEY'),
  stripeWebhookSecret: defineSecret('STRIPE_WEBHOOK_SECRET'),
  stripeWebhookSecretPrevious: defineSecret('STRIPE_WEBHOOK_SECRET_PREVIOUS'),
  stripeConnectWebhookSecret: defineSecret('STRIPE_CONNECT_WEBHOOK_SECRET'),
  stripeConnectWebhookSecretPrevious: defineSecret('STRIPE_CONNECT_WEBHOOK_SECRET_PREVIOUS'),
  stripeThinWebhookSecret: defineSecret('STRIPE_THIN_WEBHOOK_SECRET'),
  stripeThinWebhookSecretPrevious: defineSecret('STRIPE_THIN_WEBHOOK_SECRET_PREVIOUS'),
  fortnoxClientId: defineSecret('FORTNOX_CLIENT_ID'),
  fortnoxClientSecret: defineSecret('FORTNOX_CLIENT_SECRET'),
};

/** What verifies deliveries of whole events (platform and Connect) and of thin ones; each beside the one it replaced. */
export const webhookSecrets = {
  snapshot: [
    secrets.stripeWebhookSecret,
    secrets.stripeWebhookSecretPrevious,
    secrets.stripeConnectWebhookSecret,
    secrets.stripeConnectWebhookSecretPrevious,
  ],
  thin: [secrets.stripeThinWebhookSecret, secrets.stripeThinWebhookSecretPrevious],
};

export const region = 'europe-west1';

const schema = z.object({
  stripePublishableKey: z.string(),
  stripeApiBase: z.url(),
  fortnoxApiBase: z.url(),
  fortnoxTokenBase: z.union([z.url(), z.literal('')]),
  fortnoxTenantId: z.string(),
  /** Where Fortnox sends an administrator back to, as registered there; empty: the deployed fortnoxCallback's own address. */
  fortnoxRedirectUri: z.union([z.url(), z.literal('')]),
  /** How Fortnox is asked for tokens; `refresh_token` where the company cannot have a service account. */
  fortnoxAuth: z.enum(['client_credentials', 'refresh_token']),
  platformFeePercent: z.coerce.number().min(0).max(100),
  feeRounding: z.enum(['whole', 'minor']),
  /** What Stripe takes of a card payment in the platform's currency: terms that bring in less are warned of. */
  stripeFeePercent: z.coerce.number().min(0).max(100),
  stripeFeeFixedMinor: z.number().int().min(0),
  currency: z
    .string()
    .regex(/^[a-z]{3}$/)
    .transform((code) => code.toUpperCase()),
  /** Currencies taken beside the platform's own: "eur,nok". Stripe converts; the ledger is in what it settles in. */
  acceptedCurrencies: z
    .string()
    .regex(/^([a-z]{3}(,[a-z]{3})*)?$/)
    .transform((list) => (list === '' ? [] : list.toUpperCase().split(','))),
  /** Who sends receipts: Stripe to the caller's address (a letter of ours where there is none), or always a letter. */
  receipts: z.enum(['stripe', 'letter']),
  /** Minor units: what goes back of one payment above this needs a second administrator. */
  refundApprovalLimit: z.number().int().min(0),
  /** How long an unpaid order or booking keeps its goods, and how long an invoice or contract may be paid. */
  orderLifetimeHours: z.number().int().min(1),
  invoiceLifetimeDays: z.number().int().min(1),
  /** How the books see the platform: docs/accounting.md. */
  accountingProfile: z.enum(['specification', 'agent', 'principal']),
  /** A voucher for each ledger document, or one a day and kind with the list of them attached. */
  voucherGrouping: z.enum(['transaction', 'day']),
  /** VAT on Stripe's fees (profiles agent and principal): none, or worked out by us as the buyer of a foreign service. */
  stripeFeeVat: z.enum(['exempt', 'reverse_charge']),
  /** Other account numbers than the profile's: "stripeFees=6570,receivables=1684" (names: accounting/account-plan.ts). */
  accountNumbers: z
    .string()
    .regex(/^([a-zA-Z0-9]+=[1-9]\d{3}(,[a-zA-Z0-9]+=[1-9]\d{3})*)?$/)
    .transform((list) =>
      Object.fromEntries(
        list
          .split(',')
          .filter(Boolean)
          .map((pair) => [pair.split('=')[0] ?? '', Number(pair.split('=')[1])]),
      ),
    ),
  /** Vouchers of a locked period wait until it is unlocked, or are dated the first open day. */
  lockedPeriod: z.enum(['hold', 'first_open_day']),
  /** The day a financial year begins, "MM-DD". */
  financialYearStart: z.string().regex(/^(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])$/),
  voucherSeries: z.string().regex(/^[A-Z0-9]{1,10}$/),
  clearingAccount: z.number().int().min(1000).max(9999),
  allowedOrigins: z.string().transform((list) =>
    list
      .split(',')
      .map((origin) => origin.trim())
      .filter(Boolean),
  ),
  enforceAppCheck: z.enum(['true', 'false']).transform((flag) => flag === 'true'),
  /** How long payouts rest after a coach's bank account changed. */
  bankChangeRestHours: z.number().int().min(0).max(720),
  /** Who the platform is on invoices to and for coaches; an empty VAT number: not registered for VAT. */
  platformName: z.string(),
  platformAddress: z.string(),
  platformVatNumber: z.string(),
  /** For the yearly report of sellers (DAC7): the organisation number, and the name it trades under where that is another. */
  platformOrganisationNumber: z.string().regex(/^(\d{10}|\d{12})?$/),
  platformBusinessName: z.string(),
  /** A change of a coach's fee by more percentage points than this waits for a second administrator. */
  termsApprovalPercent: z.number().int().min(0).max(100),
  /** Whether Stripe Tax reckons the tax on its pages. Prices stay as they are: the tax is inside them. */
  automaticTax: z.enum(['true', 'false']).transform((flag) => flag === 'true'),
  schedulerServiceAccount: z.string(),
  /** Who bears the coach's share of a lost dispute: it is taken back from the coach, or the platform writes it off. */
  disputeLoss: z.enum(['coach', 'platform']),
  /** How long a session is whose product does not say, and how long an unpaid booking keeps its time. */
  sessionMinutes: z.number().int().min(5).max(720),
  sessionPaymentMinutes: z.number().int().min(1).max(1440),
  /** Until so long before its start a session is canceled for nothing; later so much of what was paid is kept (0: nothing). */
  sessionFreeCancelHours: z.number().int().min(0).max(720),
  sessionLateCancelKeptPercent: z.number().int().min(0).max(100),
  /** A session whose coach has said nothing of it is completed so long after its end. */
  sessionAutoCompleteHours: z.number().int().min(1).max(720),
  /** How often one session is moved. */
  sessionRescheduleLimit: z.number().int().min(0).max(100),
  /** Minor units: the platform's own payouts leave this much more at Stripe than what is others', for refunds and debts. */
  platformReserveMinor: z.number().int().min(0),
  /** Minor units: a coach's debt above this is written off by two administrators. */
  writeOffApprovalLimit: z.number().int().min(0),
});

export type Config = z.infer<typeof schema>;

/**
 * Reads every param once, when the first request arrives (params have no value while Firebase discovers the functions).
 * Throws an Error naming the param that is wrong and what it may be.
 */
export function readConfig(): Config {
  const raw = Object.fromEntries(Object.entries(params).map(([name, param]) => [name, param.value()]));
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new Error(`Configuration: ${z.prettifyError(parsed.error)}. Set the param in functions/.env and deploy again.`);
}
