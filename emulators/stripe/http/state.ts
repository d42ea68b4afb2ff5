import { balanceOf } from '../core/balance.ts';
import type { StripeCore } from '../core/core.ts';
import type { Book } from '../core/world.ts';

/** Everything the emulator knows, as JSON: per account its objects and its balance. */
export function stateOf(core: StripeCore): object {
  const { world } = core;
  const bookOf = (book: Book) => ({
    balance: balanceOf(world, book),
    customers: book.customers.values(),
    products: book.products.values(),
    prices: book.prices.values(),
    payment_methods: book.paymentMethods.values(),
    payment_intents: book.paymentIntents.values(),
    charges: book.charges.values(),
    balance_transactions: book.balanceTransactions.values(),
    transfers: book.transfers.values(),
    application_fees: book.applicationFees.values(),
    payouts: book.payouts.values(),
    refunds: book.refunds.values(),
    transfer_reversals: book.reversals.values(),
    application_fee_refunds: book.feeRefunds.values(),
    disputes: book.disputes.values(),
    early_fraud_warnings: book.earlyFraudWarnings.values(),
    reviews: book.reviews.values(),
    setup_intents: book.setupIntents.values(),
    subscriptions: book.subscriptions.values(),
    invoices: book.invoices.values(),
    invoice_payments: book.invoicePayments.values(),
    invoice_items: book.billing.invoiceItems.values(),
    coupons: book.billing.coupons.values(),
    promotion_codes: book.billing.promotionCodes.values(),
    checkout_sessions: book.billing.checkoutSessions.values(),
    portal_sessions: book.billing.portalSessions.values(),
  });
  return {
    now: core.now(),
    switches: world.switches,
    notices: world.notices,
    timers: world.timers.list(),
    test_clocks: world.testClocks.objects.values(),
    connected_accounts: world.accounts.values(),
    revoked_accounts: [...world.revoked],
    balance_settings: Object.fromEntries(world.balanceSettings),
    event_destinations: [...world.connect.destinations.values()].map((each) => each.object),
    platform: bookOf(world.platform),
    accounts: Object.fromEntries([...world.books].map(([id, book]) => [id, bookOf(book)])),
    events: world.events.values(),
    faults: world.faults,
  };
}
