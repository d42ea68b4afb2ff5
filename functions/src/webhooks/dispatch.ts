import { coachEvents } from '../coaches/coaches.events.ts';
import { accountCustomerEvents } from '../payments/account-customers.events.ts';
import { aftermathEvents } from '../payments/aftermath/aftermath.events.ts';
import { fraudEvents } from '../payments/fraud/fraud.events.ts';
import { checkoutEvents } from '../payments/checkout/checkout.events.ts';
import { invoiceEvents } from '../payments/invoices/invoices.events.ts';
import { methodEvents } from '../payments/methods/methods.events.ts';
import { paymentEvents } from '../payments/payments.events.ts';
import { subscriptionEvents } from '../payments/subscriptions/subscriptions.events.ts';
import { balanceEvents } from '../payouts/balance.events.ts';
import { payoutEvents } from '../payouts/payouts.events.ts';
import { joinTables } from './join.ts';

/**
 * Which rooms handle which of Stripe's events. Several may hear one type (all in one commit); a room's name also stands
 * in what is stored of such an event. Types not listed are kept as `ignored` envelopes.
 */
export const dispatchTable = joinTables({
  payments: paymentEvents,
  methods: methodEvents,
  checkout: checkoutEvents,
  accountCustomers: accountCustomerEvents,
  subscriptions: subscriptionEvents,
  invoices: invoiceEvents,
  aftermath: aftermathEvents,
  fraud: fraudEvents,
  coaches: coachEvents,
  payouts: payoutEvents,
  balances: balanceEvents,
});

/** What the endpoints at Stripe are to ask for: any other type would cost a request and an envelope, and change nothing. */
export const handledTypes: readonly string[] = Object.keys(dispatchTable);
