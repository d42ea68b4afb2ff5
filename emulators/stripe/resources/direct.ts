/**
 * Direct charges: the request is on the connected account, which is the merchant. The platform earns an application fee
 * and, where it pays the fees (controller.fees.payer = application), is billed Stripe's.
 */
import type Stripe from 'stripe';
import { post, stripeFee } from '../core/balance.ts';
import { missing, refused, unsupported } from '../core/errors.ts';
import { emit } from '../core/events.ts';
import { embedded } from '../core/list.ts';
import { APPLICATION, isPlatform } from '../core/world.ts';
import type { Book, World } from '../core/world.ts';

/** The account of a direct charge must be able to take one. */
export function requireDirect(
  world: World,
  book: Book,
  params: { transfer_data?: unknown; on_behalf_of?: unknown },
): void {
  if (params.transfer_data !== undefined)
    throw unsupported('transfer_data', 'transfer_data on a connected account (a charge of a charge)');
  if (params.on_behalf_of !== undefined)
    throw unsupported('on_behalf_of', 'on_behalf_of on a connected account: it charges for itself');
  const account = world.accounts.get(book.account);
  if (account?.capabilities?.card_payments === 'active') return;
  throw refused(
    'Your account cannot currently make live charges: it needs the card_payments capability, and that to be active.',
    'account_invalid',
  );
}

/** Who is the merchant of a platform's charge in its place. What it changes here is what the objects show. */
export function requireMerchant(world: World, id: string): void {
  const account = world.accounts.get(id);
  if (!account || world.revoked.has(id)) throw missing('account', id, 'on_behalf_of', 400);
  if (account.capabilities?.card_payments === 'active') return;
  throw refused(
    `The account ${id} needs the card_payments capability to be charged on behalf of.`,
    'insufficient_capabilities_for_transfer',
    'on_behalf_of',
  );
}

/** A transfer can go to an account that may receive one. */
export function requireDestination(world: World, id: string, param: string): Stripe.Account {
  const account = world.accounts.get(id);
  if (!account || world.revoked.has(id)) throw missing('destination', id, param, 400);
  if (account.capabilities?.transfers !== 'active') {
    throw refused(
      'Your destination account needs to have at least one of the following capabilities enabled: transfers, legacy_payments',
      'insufficient_capabilities_for_transfer',
    );
  }
  return account;
}

/** Who pays Stripe's fees of an account's own charges. */
export const payerOf = (world: World, book: Book) =>
  world.accounts.get(book.account)?.controller?.fees?.payer ?? 'application';

/** What a charge costs the account it is on. */
export function chargeFees(
  world: World,
  book: Book,
  charge: Stripe.Charge,
): { fee: number; feeDetails: Stripe.BalanceTransaction.FeeDetail[] } {
  const { currency } = charge;
  const feeDetails: Stripe.BalanceTransaction.FeeDetail[] = [];
  if (!isPlatform(world, book) && charge.application_fee_amount !== null) {
    feeDetails.push({
      amount: charge.application_fee_amount,
      application: APPLICATION,
      currency,
      description: 'Inner Journey application fee',
      type: 'application_fee',
    });
  }
  if (isPlatform(world, book) || payerOf(world, book) === 'account') {
    feeDetails.push({
      amount: stripeFee(charge.amount_captured),
      application: null,
      currency,
      description: 'Stripe processing fees',
      type: 'stripe_fee',
    });
  }
  return { fee: feeDetails.reduce((sum, each) => sum + each.amount, 0), feeDetails };
}

/** What a direct charge books on the platform: its fee, and Stripe's where the platform pays it. */
export function billPlatform(world: World, book: Book, charge: Stripe.Charge, availableOn: number): Stripe.Charge {
  const { platform } = world;
  const { currency, application_fee_amount: ours } = charge;
  if (payerOf(world, book) === 'application') {
    post(world, platform, {
      type: 'stripe_fee',
      reportingCategory: 'fee',
      amount: -stripeFee(charge.amount_captured),
      currency,
      source: charge.id,
      availableOn,
      description: `Stripe processing fees of ${charge.id} on ${book.account}`,
    });
  }
  if (ours === null) return charge;
  const id = world.ids.next('fee');
  const earned = post(world, platform, {
    type: 'application_fee',
    reportingCategory: 'platform_earning',
    amount: ours,
    currency,
    source: id,
    availableOn,
    description: 'Application fee from application Inner Journey',
  });
  const fee = platform.applicationFees.add({
    id,
    object: 'application_fee',
    account: book.account,
    amount: ours,
    amount_refunded: 0,
    application: APPLICATION,
    balance_transaction: earned.id,
    charge: charge.id,
    created: world.now,
    currency,
    fee_source: { charge: charge.id, type: 'charge' },
    livemode: false,
    originating_transaction: null,
    refunded: false,
    refunds: embedded(`/v1/application_fees/${id}/refunds`, []),
  });
  emit(world, platform, 'application_fee.created', fee);
  return book.charges.update(charge.id, { application_fee: id });
}
