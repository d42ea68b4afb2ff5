/** Charges, and what a successful one books: Stripe's fee, the transfer to the destination, the application fee. */
import type Stripe from 'stripe';
import { post } from '../core/balance.ts';
import { missing } from '../core/errors.ts';
import { emit, emitChange } from '../core/events.ts';
import { embedded, inRange, page } from '../core/list.ts';
import type { ExpandOnly } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import { APPLICATION, bookOf, isPlatform } from '../core/world.ts';
import { fundsDelay } from './balance-settings.ts';
import { billPlatform, chargeFees } from './direct.ts';
import { declineOutcome } from './decline.ts';
import type { Decline } from './decline.ts';

function detailsOf(
  method: Stripe.PaymentMethod,
  amount: number,
  authenticated: boolean,
): Stripe.Charge.PaymentMethodDetails {
  if (method.sepa_debit) {
    const { bank_code, branch_code, country, fingerprint, last4 } = method.sepa_debit;
    const mandate = `mandate_${method.id.slice(3)}`;
    return { type: 'sepa_debit', sepa_debit: { bank_code, branch_code, country, fingerprint, last4, mandate } };
  }
  const card = method.card!;
  return {
    type: 'card',
    card: {
      amount_authorized: amount,
      authorization_code: null,
      brand: card.brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country: card.country,
      electronic_commerce_indicator: null,
      exp_month: card.exp_month,
      exp_year: card.exp_year,
      fingerprint: card.fingerprint ?? null,
      funding: card.funding,
      installments: null,
      last4: card.last4,
      mandate: null,
      network: card.brand,
      network_transaction_id: null,
      regulated_status: 'unregulated',
      three_d_secure: authenticated
        ? {
            authentication_flow: 'challenge',
            electronic_commerce_indicator: '05',
            exemption_indicator: null,
            result: 'authenticated',
            result_reason: null,
            transaction_id: null,
            version: '2.2.0',
          }
        : null,
      transaction_link_id: null,
      wallet: null,
    },
  };
}

function chargeOf(
  world: World,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  authenticated = false,
): Stripe.Charge {
  const destination = intent.transfer_data?.destination as string | undefined;
  return {
    id: world.ids.next('ch'),
    object: 'charge',
    amount: intent.amount,
    amount_captured: 0,
    amount_refunded: 0,
    application: intent.application,
    application_fee: null,
    application_fee_amount: intent.application_fee_amount,
    balance_transaction: null,
    billing_details: method.billing_details,
    calculated_statement_descriptor: 'INNER JOURNEY',
    captured: false,
    created: world.now,
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    fraud_details: {},
    livemode: false,
    metadata: intent.metadata,
    on_behalf_of: intent.on_behalf_of,
    outcome: null,
    paid: false,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: detailsOf(method, intent.amount, authenticated),
    receipt_email: intent.receipt_email,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: intent.statement_descriptor_suffix,
    status: 'pending',
    transfer_data: destination === undefined ? null : { amount: intent.transfer_data?.amount ?? null, destination },
    transfer_group: intent.transfer_group,
  };
}

/** How a card has paid. */
export interface Payment {
  fundsAtOnce: boolean;
  /** False while the amount is only authorized. */
  captured: boolean;
  authenticated: boolean;
  /** Radar finds the risk elevated. */
  elevated: boolean;
}

export function succeededCharge(
  world: World,
  book: Book,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  how: Payment,
): Stripe.Charge {
  const made = chargeOf(world, intent, method, how.authenticated);
  if (how.fundsAtOnce) book.fundsAtOnce.add(made.id);
  return book.charges.add({
    ...made,
    amount_captured: how.captured ? intent.amount : 0,
    captured: how.captured,
    outcome: {
      advice_code: null,
      network_advice_code: null,
      network_decline_code: null,
      network_status: 'approved_by_network',
      reason: null,
      risk_level: how.elevated ? 'elevated' : 'normal',
      risk_score: how.elevated ? 70 : 12,
      seller_message: 'Payment complete.',
      type: how.elevated ? 'manual_review' : 'authorized',
    },
    paid: true,
    receipt_url: `${world.publicUrl}/_hosted/receipts/${made.id}`,
    status: 'succeeded',
  });
}

/** A debit the bank has not answered yet. */
export const pendingDebit = (
  world: World,
  book: Book,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
): Stripe.Charge => book.charges.add({ ...chargeOf(world, intent, method), id: world.ids.next('py') });

export function failedCharge(
  world: World,
  book: Book,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  outcome: Decline,
): Stripe.Charge {
  return book.charges.add({
    ...chargeOf(world, intent, method),
    failure_code: outcome.code,
    failure_message: outcome.message,
    outcome: declineOutcome(outcome),
    status: 'failed',
  });
}

/** Books a successful charge; for a destination charge also the transfer, the payment it makes there, and the fee. */
export function settleCharge(world: World, book: Book, charge: Stripe.Charge): Stripe.Charge {
  const availableOn = book.fundsAtOnce.has(charge.id) ? world.now : charge.created + fundsDelay(world, book);
  const txn = post(world, book, {
    type: 'charge',
    reportingCategory: 'charge',
    amount: charge.amount_captured,
    ...chargeFees(world, book, charge),
    currency: charge.currency,
    source: charge.id,
    availableOn,
    description: charge.description,
  });
  const booked = book.charges.update(charge.id, { balance_transaction: txn.id });
  if (!isPlatform(world, book)) return billPlatform(world, book, booked, availableOn);
  return booked.transfer_data ? shareOut(world, book, booked, availableOn) : booked;
}

function shareOut(world: World, book: Book, charge: Stripe.Charge, availableOn: number): Stripe.Charge {
  const destination = bookOf(world, charge.transfer_data!.destination as string);
  const amount = charge.transfer_data!.amount ?? charge.amount_captured;
  const feeAmount = charge.application_fee_amount ?? 0;
  const transferId = world.ids.next('tr');
  const paymentId = world.ids.next('py');
  const feeId = feeAmount > 0 ? world.ids.next('fee') : null;
  const out = post(world, book, {
    type: 'transfer',
    reportingCategory: 'transfer',
    amount: -amount,
    currency: charge.currency,
    source: transferId,
    availableOn,
    description: charge.description,
  });
  const arrived = post(world, destination, {
    type: 'payment',
    reportingCategory: 'charge',
    amount,
    fee: feeAmount,
    feeDetails:
      feeAmount > 0
        ? [
            {
              amount: feeAmount,
              application: APPLICATION,
              currency: charge.currency,
              description: 'Inner Journey application fee',
              type: 'application_fee',
            },
          ]
        : [],
    currency: charge.currency,
    source: paymentId,
    availableOn,
    description: charge.description,
  });
  destination.charges.add({
    ...charge,
    id: paymentId,
    amount,
    amount_captured: amount,
    amount_refunded: 0,
    application: APPLICATION,
    application_fee: feeId,
    application_fee_amount: feeAmount > 0 ? feeAmount : null,
    balance_transaction: arrived.id,
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    created: world.now,
    customer: null,
    metadata: {},
    payment_intent: null,
    payment_method: null,
    payment_method_details: { type: 'stripe_account', stripe_account: {} },
    receipt_email: null,
    receipt_url: null,
    source_transfer: transferId,
    transfer_data: null,
    transfer_group: charge.transfer_group,
  });
  const transfer: Stripe.Transfer = {
    id: transferId,
    object: 'transfer',
    amount,
    amount_reversed: 0,
    balance_transaction: out.id,
    created: world.now,
    currency: charge.currency,
    description: null,
    destination: destination.account,
    destination_payment: paymentId,
    livemode: false,
    metadata: {},
    reversals: embedded(`/v1/transfers/${transferId}/reversals`, []),
    reversed: false,
    source_transaction: charge.id,
    source_type: 'card',
    transfer_group: charge.transfer_group,
  };
  book.transfers.add(transfer);
  if (feeId !== null) {
    const earned = post(world, book, {
      type: 'application_fee',
      reportingCategory: 'platform_earning',
      amount: feeAmount,
      currency: charge.currency,
      source: feeId,
      availableOn,
      description: 'Application fee from application Inner Journey',
    });
    const applicationFee: Stripe.ApplicationFee = {
      id: feeId,
      object: 'application_fee',
      account: destination.account,
      amount: feeAmount,
      amount_refunded: 0,
      application: APPLICATION,
      balance_transaction: earned.id,
      charge: paymentId,
      created: world.now,
      currency: charge.currency,
      fee_source: { charge: paymentId, type: 'charge' },
      livemode: false,
      originating_transaction: charge.id,
      refunded: false,
      refunds: embedded(`/v1/application_fees/${feeId}/refunds`, []),
    };
    book.applicationFees.add(applicationFee);
    emit(world, book, 'application_fee.created', applicationFee);
  }
  emit(world, book, 'transfer.created', transfer);
  return book.charges.update(charge.id, { transfer: transferId, application_fee: feeId });
}

/** The delay of the switch is over: the charge gets what was null at first, and `charge.updated` says so. */
export function settleLate(world: World, book: Book, id: string): void {
  const before = book.charges.get(id);
  // A refund or a dispute may have needed it earlier.
  if (before?.balance_transaction !== null) return;
  emitChange(world, book, 'charge.updated', before, settleCharge(world, book, before));
}

export function retrieveCharge(_: World, book: Book, __: ExpandOnly, [id = '']: string[]): Stripe.Charge {
  const charge = book.charges.get(id);
  if (!charge) throw missing('charge', id, 'id', 404);
  return charge;
}

export const listCharges = (_: World, book: Book, params: Stripe.ChargeListParams) =>
  page(
    book.charges,
    '/v1/charges',
    params,
    (charge) =>
      inRange(charge.created, params.created) &&
      (params.customer === undefined || charge.customer === params.customer) &&
      (params.transfer_group === undefined || charge.transfer_group === params.transfer_group),
    params.payment_intent,
  );
