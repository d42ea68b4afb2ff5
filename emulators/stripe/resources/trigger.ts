/**
 * `POST /_emulator/trigger {type, ...overrides}`: makes the real objects behind an event by requests of the API, as the
 * fixtures of Stripe's command line do, so that the event comes about as it would by itself.
 */
import { billingTriggers } from './trigger-billing.ts';
import { connectTriggers } from './trigger-connect.ts';
import { paymentTriggers } from './trigger-payments.ts';
import type { Trigger } from './trigger-tools.ts';

/** By type of event. Each side keeps a table of its own in `trigger-SIDE.ts` and is spread in here. */
export const triggers: Readonly<Record<string, Trigger>> = {
  ...paymentTriggers,
  ...connectTriggers,
  ...billingTriggers,
};
