/** Kinds of parameters that billing routes share. */
import type Stripe from 'stripe';
import { badParam } from '../errors.ts';
import { arr, bool, clearable, int, metadata, obj, oneOf, required, str } from '../params.ts';
import type { Kind } from '../params.ts';
import { recurring } from './recurring.ts';

/** A number with decimals, as percentages are. */
export const num: Kind = {
  describe: 'number',
  check(value, path) {
    if (typeof value !== 'string' || !/^-?\d{1,12}(\.\d{1,10})?$/.test(value))
      throw badParam(path, `Invalid decimal: ${typeof value === 'string' ? value : path}`);
    return Number(value);
  },
};

/** A moment, or a word that stands for one. */
export const intOr = (...words: string[]): Kind => ({
  describe: `integer or ${words.join(', ')}`,
  check: (value, path) => (typeof value === 'string' && words.includes(value) ? value : int.check(value, path)),
});

/** Taxes are not built: enabled, they would be a pretence. */
export const automaticTax = obj<Stripe.SubscriptionCreateParams.AutomaticTax>({
  enabled: required({
    describe: 'false',
    check(value, path) {
      if (bool.check(value, path) === true)
        throw badParam(
          path,
          'The Stripe emulator does not support automatic tax: pass enabled = false.',
          'emulator_unsupported',
        );
      return false;
    },
  }),
});

export const discounts = clearable(
  arr(obj<Stripe.SubscriptionCreateParams.Discount>({ coupon: str(), promotion_code: str() })),
);

export const priceData = obj<Stripe.SubscriptionCreateParams.Item.PriceData>({
  currency: required(str()),
  product: required(str()),
  unit_amount: int,
  recurring: required(recurring),
});

export const subscriptionTransfer = obj<Stripe.SubscriptionCreateParams.TransferData>({
  destination: required(str()),
  amount_percent: num,
});

export const invoiceTransfer = obj<Stripe.InvoiceCreateParams.TransferData>({
  destination: required(str()),
  amount: int,
});

export const trialSettings = obj<Stripe.SubscriptionCreateParams.TrialSettings>({
  end_behavior: required(
    obj<Stripe.SubscriptionCreateParams.TrialSettings.EndBehavior>({
      missing_payment_method: required(oneOf('cancel', 'create_invoice', 'pause')),
    }),
  ),
});

export const cancellationDetails = obj<Stripe.SubscriptionCancelParams.CancellationDetails>({
  comment: clearable(str()),
  feedback: clearable(
    oneOf(
      'customer_service',
      'low_quality',
      'missing_features',
      'other',
      'switched_service',
      'too_complex',
      'too_expensive',
      'unused',
    ),
  ),
});

export const collectionMethod = oneOf('charge_automatically', 'send_invoice');
export const proration = oneOf('create_prorations', 'none', 'always_invoice');
export const saveDefault = obj<Stripe.SubscriptionCreateParams.PaymentSettings>({
  save_default_payment_method: oneOf('on_subscription', 'off'),
});

const named = { id: str(), deleted: bool, price: str(), quantity: int, metadata } as const;

/** What an update asks of a subscription's items. */
export const changedItems = arr(obj<Stripe.SubscriptionUpdateParams.Item>({ ...named, price_data: priceData }));

/** What a preview asks of them: it makes nothing, so it takes no `price_data`. */
export const previewedItems = arr(obj<Stripe.SubscriptionUpdateParams.Item>(named));
