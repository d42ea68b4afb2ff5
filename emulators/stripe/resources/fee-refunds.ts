/** Application fees given back: the platform's balance falls, the connected account's rises. */
import type Stripe from 'stripe';
import { post } from '../core/balance.ts';
import { badParam, refused } from '../core/errors.ts';
import { emit } from '../core/events.ts';
import { embedded } from '../core/list.ts';
import { mergeMetadata } from '../core/params.ts';
import { APPLICATION, bookOf } from '../core/world.ts';
import type { World } from '../core/world.ts';

export interface FeeRefundOrder {
  /** Minor units; everything that is left when absent. */
  amount?: number | undefined;
  metadata?: Stripe.Emptyable<Stripe.MetadataParam> | undefined;
  /**
   * `own`: a movement of its own on the connected account, as for a fee refunded by itself. `none`: the movement that
   * takes the payment back there carries it as a negative fee.
   */
  connected: 'own' | 'none';
}

/**
 * The part of `whole` that belongs to `part` of `of`, rounded half up: the emulator's rule, Stripe's is unconfirmed.
 * The products are larger than a double holds exactly.
 */
export const proportion = (whole: number, part: number, of: number): number =>
  of === 0 ? 0 : Number((2n * BigInt(whole) * BigInt(part) + BigInt(of)) / (2n * BigInt(of)));

/** What the connected account's movement carries when a fee comes back with it. */
export const feeBack = (amount: number, currency: string): Stripe.BalanceTransaction.FeeDetail[] =>
  amount === 0
    ? []
    : [
        {
          amount: -amount,
          application: APPLICATION,
          currency,
          description: 'Inner Journey application fee',
          type: 'application_fee',
        },
      ];

/**
 * Gives an application fee back, wholly or in part. Throws when nothing, or less than asked, is left of it. Its
 * movements become available when those of the fee do.
 */
export function refundFee(world: World, fee: Stripe.ApplicationFee, order: FeeRefundOrder): Stripe.FeeRefund {
  const left = fee.amount - fee.amount_refunded;
  const amount = order.amount ?? left;
  if (left === 0) throw refused(`Application fee ${fee.id} has already been refunded.`, 'charge_already_refunded');
  if (amount < 1)
    throw badParam('amount', 'This value must be greater than or equal to 1.', 'parameter_invalid_integer');
  if (amount > left)
    throw badParam('amount', `Refund amount (${amount}) is greater than unrefunded amount on fee (${left})`);
  const { platform } = world;
  const id = world.ids.next('fr');
  const availableOn = platform.balanceTransactions.get(fee.balance_transaction as string)?.available_on ?? world.now;
  const txn = post(world, platform, {
    type: 'application_fee_refund',
    reportingCategory: 'platform_earning_refund',
    amount: -amount,
    currency: fee.currency,
    source: id,
    availableOn,
    description: 'REFUND FOR APPLICATION FEE',
  });
  const refund = platform.feeRefunds.add({
    id,
    object: 'fee_refund',
    amount,
    balance_transaction: txn.id,
    created: world.now,
    currency: fee.currency,
    fee: fee.id,
    metadata: mergeMetadata({}, order.metadata),
  });
  if (order.connected === 'own') {
    post(world, bookOf(world, fee.account as string), {
      type: 'application_fee_refund',
      reportingCategory: 'fee',
      amount,
      currency: fee.currency,
      source: id,
      availableOn,
      description: 'REFUND FOR APPLICATION FEE',
    });
  }
  const after = platform.applicationFees.update(fee.id, {
    amount_refunded: fee.amount_refunded + amount,
    refunded: fee.amount_refunded + amount === fee.amount,
    refunds: embedded(fee.refunds.url, [refund, ...fee.refunds.data]),
  });
  emit(world, platform, 'application_fee.refunded', after, {
    amount_refunded: fee.amount_refunded,
    refunded: fee.refunded,
  });
  return refund;
}
