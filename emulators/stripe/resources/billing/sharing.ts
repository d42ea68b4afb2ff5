/** How a payment of an invoice is shared with a connected account. */
import type Stripe from 'stripe';
import { StripeFailure, badParam, missing, refused } from '../../core/errors.ts';
import type { Invoice } from '../../core/wire.ts';
import type { Book, World } from '../../core/world.ts';
import { isPlatform } from '../../core/world.ts';

/** A share of at most two decimals, in öre, rounded half up: 80 of 9900 is 7920. */
export const percentOf = (amount: number, percent: number): number =>
  Math.floor((amount * Math.round(percent * 100) + 5_000) / 10_000);

export function requirePercent(percent: number, param: string): void {
  if (percent < 0 || percent > 100 || Math.abs(percent * 100 - Math.round(percent * 100)) > 1e-9)
    throw badParam(param, 'This value must be between 0 and 100, with at most two decimals.');
}

/** The destination exists and may be paid. Throws Stripe's refusal otherwise. */
export function requireDestination(world: World, destination: string, param: string): void {
  const account = world.accounts.get(destination);
  if (!account) throw missing('destination', destination, param, 400);
  if (account.capabilities?.transfers !== 'active')
    throw refused(
      'Your destination account needs to have at least one of the following capabilities enabled: transfers, legacy_payments',
      'insufficient_capabilities_for_transfer',
    );
}

/** What a subscription is asked to share. */
export function requireShare(
  world: World,
  book: Book,
  asked: {
    transfer_data?: { destination: string; amount_percent?: number } | '' | null | undefined;
    application_fee_percent?: number | '' | null | undefined;
  },
): void {
  const { transfer_data: transfer, application_fee_percent: fee } = asked;
  if (typeof fee === 'number') {
    requirePercent(fee, 'application_fee_percent');
    if (isPlatform(world, book) && !world.switches.applicationFeePercentOnPlatform)
      throw badParam(
        'application_fee_percent',
        'You can only apply an application_fee_percent when the request is made on behalf of another account (using the Stripe-Account header).',
      );
    if (isPlatform(world, book) && !transfer)
      throw badParam(
        'application_fee_percent',
        'You can only apply an application_fee_percent with transfer_data[destination].',
      );
    if (transfer && transfer.amount_percent !== undefined)
      throw badParam(
        'application_fee_percent',
        'You cannot pass both `application_fee_percent` and `transfer_data[amount_percent]`.',
      );
  }
  if (!transfer) return;
  if (!isPlatform(world, book)) throw badParam('transfer_data', 'A connected account cannot pass transfer_data.');
  if (transfer.amount_percent !== undefined) requirePercent(transfer.amount_percent, 'transfer_data[amount_percent]');
  requireDestination(world, transfer.destination, 'transfer_data[destination]');
}

type Share = Pick<Stripe.PaymentIntentCreateParams, 'transfer_data' | 'application_fee_amount'>;

/** The part of a PaymentIntent that shares `due`: as the invoice says, else as its subscription does. */
export function sharingOf(world: World, book: Book, invoice: Invoice, due: number): Share {
  if (due === 0) return {};
  const subscription = book.subscriptions.get(
    (invoice.parent?.subscription_details?.subscription as string | undefined) ?? '',
  );
  const own = book.billing.sharing.get(invoice.id);
  const transfer = subscription?.transfer_data;
  const destination = own?.destination ?? (transfer?.destination as string | undefined);
  const percent = subscription?.application_fee_percent ?? null;
  const fee = own ? own.fee : percent === null ? undefined : percentOf(due, percent);
  const feePart = fee === undefined || fee === 0 ? {} : { application_fee_amount: fee };
  if (destination === undefined) return feePart;
  requireDestination(world, destination, 'transfer_data[destination]');
  const part = transfer?.amount_percent ?? null;
  const amount = own ? own.amount : part === null ? undefined : percentOf(due, part);
  if ((amount ?? 0) > due || (fee ?? 0) > due)
    throw new StripeFailure(400, {
      type: 'invalid_request_error',
      message: 'The transfer or the application fee is more than what is due on the invoice.',
      param: 'transfer_data[amount]',
    });
  // A share of nothing is no transfer at all: the whole amount stays with the platform.
  if (amount === 0) return {};
  return { transfer_data: { destination, ...(amount === undefined ? {} : { amount }) }, ...feePart };
}
