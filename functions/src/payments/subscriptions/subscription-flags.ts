import type { FlagInput } from '../../admin/flags.ts';

export const priceUnknownFlag = (id: string, productId: string | null): FlagInput => ({
  id: `subscription-price_${id}`,
  kind: 'subscription-price-unknown',
  severity: 'warning',
  subject: `subscriptions/${id}`,
  message: `Stripe charges a price of ${productId ?? 'no product of ours'} for this subscription; it was sold as another.`,
  action: 'Change the subscription in the Stripe dashboard back to a price that we made, or cancel it.',
});

export const notFinalizedFlag = (invoiceId: string, subscriptionPath: string): FlagInput => ({
  id: `invoice-not-finalized_${invoiceId}`,
  kind: 'invoice-not-finalized',
  severity: 'critical',
  subject: subscriptionPath,
  message: `Stripe could not finalize invoice ${invoiceId}: the customer keeps access and is not charged.`,
  action: 'Read the reason at the invoice in the Stripe dashboard, mend it there and finalize the invoice.',
});

export const setupRefusedFlag = (id: string, why: string): FlagInput => ({
  id: `subscription-setup_${id}`,
  kind: 'subscription-setup-refused',
  severity: 'warning',
  subject: `subscriptions/${id}`,
  message: `The card that was saved during the trial could not be made the subscription's: ${why}`,
  action: 'Unless the subscription has ended, set its payment method in the Stripe dashboard before the trial ends.',
});
