import type { Ports } from './ports.ts';

/** Where a running stack answers. All of it is on 127.0.0.1. */
export interface StackUrls {
  /** Every function: `${functions}/NAME` for callables and HTTPS functions, `${functions}/NAME-0` for scheduled ones. */
  readonly functions: string;
  readonly hosting: string;
  readonly firestore: string;
  readonly auth: string;
  readonly tasks: string;
  /** The Stripe emulator, or https://api.stripe.com in test mode. */
  readonly stripe: string;
  readonly fortnox: string;
  /** The REST API as clients see it, behind Hosting. */
  readonly api: string;
}

/** Who plays Stripe: our emulator, or Stripe's own test mode when STRIPE_SECRET_KEY is in the environment. */
export type StripeMode = 'emulator' | 'test-mode';

export interface Stack {
  readonly projectId: 'demo-inner-journey';
  readonly region: 'europe-west1';
  readonly ports: Ports;
  readonly urls: StackUrls;
  readonly stripeMode: StripeMode;
  /** Names of the functions that are loaded. */
  readonly functions: readonly string[];
  /** The secrets the functions run with (STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, FORTNOX_CLIENT_ID and the like). */
  readonly secrets: Readonly<Record<string, string>>;
  /** Resolves when a part ends by itself, saying which and with its last log lines. Never rejects. */
  readonly crashed: Promise<Error>;
  /** Ends every process of the stack, whatever state it is in. Can be called twice. */
  stop(): Promise<void>;
}

export type Log = (line: string) => void;

/** What `runStory` is given besides the stack. */
export interface StoryOptions {
  readonly log: Log;
  /** Where to write the result; its folder exists. */
  readonly file: string;
}
