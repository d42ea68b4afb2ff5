import type Stripe from 'stripe';

/**
 * Event types that Stripe may send us and that nobody here handles, each with the reason. A type stands either in the
 * dispatch table or here; a test sees to it. Their envelopes are kept for a month.
 */
export const ignoredTypes: Partial<Record<Stripe.Event['type'], string>> = {
  'invoice.payment_succeeded': 'invoice.paid says the same, and also when an invoice is paid outside of Stripe.',
  'charge.failed': 'payment_intent.payment_failed tells of the same attempt, with its reason.',
  'payment_intent.amount_capturable_updated':
    'Every payment is captured when it is confirmed; nothing is only authorised.',
  'payment_intent.created':
    'Nothing has moved yet: ours are written down before they are made, a page’s by their first news.',
  'transfer.created':
    'Ours are written down before they are asked for and a lost answer is asked about; a charge’s own is booked with its sale; any other is found by the nightly proof.',
  'transfer.updated': 'Only a transfer’s description and metadata can change; transfer.reversed tells what moves.',
  'application_fee.created': 'The fee is read with its charge when the sale is booked.',
  'application_fee.refund.updated':
    'Only the metadata of a fee’s refund can change; application_fee.refunded tells that it was made.',
  'balance.available': 'What is available is asked when a payout is due.',
  'payout.reconciliation_completed': 'Only for automatic payouts; ours are made by us, and their ledger is our own.',
};
