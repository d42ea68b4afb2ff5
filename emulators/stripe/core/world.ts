/** Everything the emulator knows, in one value. */
import type Stripe from 'stripe';
import { createBillingBook, createTestClocks } from './billing-book.ts';
import type { BillingBook, TestClocks } from './billing-book.ts';
import { createPaymentsBook } from './payments-book.ts';
import type { Challenge, PaymentsBook } from './payments-book.ts';
import { createConnectWorld } from './connect-world.ts';
import type { ConnectWorld } from './connect-world.ts';
import { Collection } from './collection.ts';
import type { Index } from './collection.ts';
import { createIdSource } from './ids.ts';
import type { IdSource } from './ids.ts';
import { Timers } from './timers.ts';
import type { Invoice, Price, Subscription } from './wire.ts';
import type { Delivery, Endpoint } from './webhooks.ts';
import type { Fault } from './faults.ts';
import type { KeptReply } from './idempotency.ts';
import { defaultSwitches } from './switches.ts';
import type { Switches } from './switches.ts';

export const API_VERSION = '2026-10-28.endive';

/** The objects of one account: the platform's or a connected account's. */
export interface Book {
  readonly account: string;
  readonly customers: Collection<Stripe.Customer>;
  readonly products: Collection<Stripe.Product>;
  readonly prices: Collection<Price>;
  readonly paymentMethods: Collection<Stripe.PaymentMethod>;
  readonly paymentIntents: Collection<Stripe.PaymentIntent>;
  readonly charges: Collection<Stripe.Charge>;
  readonly balanceTransactions: Collection<Stripe.BalanceTransaction>;
  readonly transfers: Collection<Stripe.Transfer>;
  readonly applicationFees: Collection<Stripe.ApplicationFee>;
  readonly payouts: Collection<Stripe.Payout>;
  readonly refunds: Collection<Stripe.Refund>;
  readonly reversals: Collection<Stripe.TransferReversal>;
  readonly feeRefunds: Collection<Stripe.FeeRefund>;
  readonly disputes: Collection<Stripe.Dispute>;
  readonly earlyFraudWarnings: Collection<Stripe.Radar.EarlyFraudWarning>;
  readonly reviews: Collection<Stripe.Review>;
  readonly setupIntents: Collection<Stripe.SetupIntent>;
  readonly subscriptions: Collection<Subscription>;
  readonly invoices: Collection<Invoice>;
  readonly invoicePayments: Collection<Stripe.InvoicePayment>;
  readonly billing: BillingBook;
  readonly payments: PaymentsBook;
  /** Per currency, in minor units. */
  readonly funds: Map<string, { available: number; pending: number }>;
  /** Pending balance transactions by the moment they become available. */
  readonly pendingUntil: Map<number, string[]>;
  /** Payment methods used once without a customer: Stripe takes them no second time. */
  readonly spentPaymentMethods: Set<string>;
  readonly deletedCustomers: Set<string>;
  /** Charges of cards whose money is available at once. */
  readonly fundsAtOnce: Set<string>;
  /** The invoice a PaymentIntent pays, by the intent. */
  readonly invoiceOfIntent: Map<string, string>;
}

/** An onboarding link: `new` until it is opened, `open` while its form is filled in, `done` after. */
export interface OnboardingLink {
  token: string;
  account: string;
  expiresAt: number;
  refreshUrl: string;
  returnUrl: string;
  state: 'new' | 'open' | 'done';
}

export interface LoggedRequest {
  requestId: string;
  method: string;
  path: string;
  /** The connected account of the `Stripe-Account` header. */
  account: string | null;
  idempotencyKey: string | null;
  status: number;
  replayed: boolean;
  /** The kind of the fault that was injected. */
  fault: string | null;
  /** Unix seconds of the emulator's clock. */
  at: number;
}

export interface World {
  /** Unix seconds: the emulator's clock. Moves only forward. */
  now: number;
  readonly ids: IdSource;
  /** Where the hosted pages are. */
  publicUrl: string;
  readonly index: Index;
  readonly platform: Book;
  /** By connected account. */
  readonly books: Map<string, Book>;
  readonly accounts: Collection<Stripe.Account>;
  /** Accounts that were deleted or took the platform's access away: nobody reaches them any more. */
  readonly revoked: Set<string>;
  readonly capabilities: Map<string, { requested_at: number }>;
  readonly links: Map<string, OnboardingLink>;
  readonly testClocks: TestClocks;
  /** Open 3-D Secure pages, by token. */
  readonly challenges: Map<string, Challenge>;
  /** Refunds that wait for money, oldest first, with their accounts. */
  readonly waitingRefunds: Map<string, string>;
  readonly connect: ConnectWorld;
  readonly bankAccounts: Collection<Stripe.BankAccount>;
  /** Bank accounts whose payouts fail, with the failure code. */
  readonly failingBanks: Map<string, string>;
  /** Tokens of bank accounts, with the IBAN each stands for. */
  readonly tokens: Map<string, { token: Stripe.Token; iban: string }>;
  /** How an account, the platform's own included, is paid out, where it was changed. */
  readonly balanceSettings: Map<string, Stripe.BalanceSettings>;
  readonly events: Collection<Stripe.EventBase>;
  readonly endpoints: Map<string, Endpoint>;
  readonly deliveries: Map<string, Delivery>;
  /** Deliveries nobody has taken yet. */
  outbox: Delivery[];
  readonly timers: Timers;
  readonly kept: Map<string, KeptReply>;
  faults: Fault[];
  switches: Switches;
  requests: LoggedRequest[];
  /** What the emulator could not do by itself, for whoever reads its state. */
  notices: string[];
  /** The request being served: events name it. Null while time passes. */
  request: { id: string | null; idempotency_key: string | null } | null;
}

const PLATFORM_ID = 'acct_1Platform000000000';
/** The platform's own bank account and application id. */
export const PLATFORM_BANK = 'ba_1Platform00000000000000';
export const APPLICATION = 'ca_EmulatedPlatform0000000000';

export function createBook(index: Index, account: string): Book {
  return {
    account,
    customers: new Collection(index),
    products: new Collection(index),
    prices: new Collection(index),
    paymentMethods: new Collection(index),
    paymentIntents: new Collection(index),
    charges: new Collection(index, (charge) => (charge.payment_intent as string | null) ?? null),
    balanceTransactions: new Collection(index, (txn) => txn.source as string | null),
    transfers: new Collection(index, (transfer) => transfer.source_transaction as string | null),
    applicationFees: new Collection(index),
    payouts: new Collection(index),
    refunds: new Collection(index, (refund) => refund.charge as string | null),
    reversals: new Collection(index, (reversal) => reversal.transfer as string),
    feeRefunds: new Collection(index, (refund) => refund.fee as string),
    disputes: new Collection(index, (dispute) => dispute.charge as string),
    earlyFraudWarnings: new Collection(index, (warning) => warning.charge as string),
    reviews: new Collection(index),
    setupIntents: new Collection(index),
    subscriptions: new Collection(index),
    invoices: new Collection(index),
    invoicePayments: new Collection(index, (payment) => payment.invoice as string),
    billing: createBillingBook(index),
    payments: createPaymentsBook(),
    funds: new Map(),
    pendingUntil: new Map(),
    spentPaymentMethods: new Set(),
    deletedCustomers: new Set(),
    fundsAtOnce: new Set(),
    invoiceOfIntent: new Map(),
  };
}

export function createWorld(options: {
  now: number;
  seed: number;
  switches: Partial<Switches>;
  publicUrl: string;
}): World {
  const index: Index = new Map();
  const world: World = {
    now: options.now,
    ids: createIdSource(options.seed),
    publicUrl: options.publicUrl,
    index,
    platform: createBook(index, PLATFORM_ID),
    books: new Map(),
    accounts: new Collection(index),
    revoked: new Set(),
    capabilities: new Map(),
    links: new Map(),
    testClocks: createTestClocks(index),
    challenges: new Map(),
    waitingRefunds: new Map(),
    connect: createConnectWorld(),
    bankAccounts: new Collection(index),
    failingBanks: new Map(),
    tokens: new Map(),
    balanceSettings: new Map(),
    events: new Collection(index),
    endpoints: new Map(),
    deliveries: new Map(),
    outbox: [],
    timers: new Timers(),
    kept: new Map(),
    faults: [],
    switches: { ...defaultSwitches, ...options.switches },
    requests: [],
    notices: [],
    request: null,
  };
  world.bankAccounts.add({
    id: PLATFORM_BANK,
    object: 'bank_account',
    account: PLATFORM_ID,
    account_holder_name: null,
    account_holder_type: null,
    account_type: null,
    available_payout_methods: ['standard'],
    bank_name: 'STRIPE TEST BANK',
    country: 'SE',
    currency: 'sek',
    default_for_currency: true,
    fingerprint: 'PlatformBank0000',
    last4: '0003',
    metadata: {},
    routing_number: '500',
    status: 'new',
  });
  return world;
}

/** The book of an account id, the platform's own included. */
export function bookOf(world: World, account: string): Book {
  if (account === world.platform.account) return world.platform;
  const book = world.books.get(account);
  if (!book) throw new Error(`no book of ${account}`);
  return book;
}

export const isPlatform = (world: World, book: Book): boolean => book === world.platform;
