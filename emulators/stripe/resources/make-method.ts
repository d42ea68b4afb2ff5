/** Payment methods made from a card's number or token, or from an IBAN, and changed later. */
import type Stripe from 'stripe';
import { StripeFailure, badParam, missing, refused, unsupported } from '../core/errors.ts';
import { emitChange } from '../core/events.ts';
import { mergeMetadata, textOrNull } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import { DEBIT_IBANS, ibanOf } from './debits.ts';
import { fresh } from './payment-methods.ts';
import { TEST_CARDS, tokenOfNumber } from './test-cards.ts';

export function createPaymentMethod(
  world: World,
  book: Book,
  params: Stripe.PaymentMethodCreateParams,
): Stripe.PaymentMethod {
  const made = params.type === 'sepa_debit' ? fromIban(world, params) : fromCard(world, params);
  return book.paymentMethods.add({
    ...made,
    allow_redisplay: params.allow_redisplay ?? 'unspecified',
    billing_details: billingOf(made.billing_details, params.billing_details),
    metadata: mergeMetadata({}, params.metadata),
  });
}

function fromCard(world: World, params: Stripe.PaymentMethodCreateParams): Stripe.PaymentMethod {
  const given = params.card;
  if (!given) throw badParam('card', 'Missing required param: card.', 'parameter_missing');
  if (given.token !== undefined) {
    const card = TEST_CARDS[given.token.replace(/^tok_/, 'pm_card_')];
    if (!card || !given.token.startsWith('tok_')) throw missing('token', given.token, 'card[token]', 400);
    return fresh(world, card);
  }
  const { number, exp_month: month, exp_year: year } = given;
  for (const [name, value] of Object.entries({ number, exp_month: month, exp_year: year })) {
    if (value === undefined)
      throw badParam(`card[${name}]`, `Missing required param: card[${name}].`, 'parameter_missing');
  }
  const card = TEST_CARDS[tokenOfNumber(number!) ?? ''];
  if (!card)
    throw cardError('incorrect_number', 'number', 'Your card number is incorrect: it is none of the test cards.');
  const method = fresh(world, card);
  requireValid(world, month!, year!);
  return { ...method, card: { ...method.card!, exp_month: month!, exp_year: year! } };
}

const cardError = (code: string, param: string, message: string) =>
  new StripeFailure(402, { type: 'card_error', code, param, message });

function requireValid(world: World, month: number, year: number): void {
  const today = new Date(world.now * 1000);
  if (month < 1 || month > 12) {
    throw cardError('invalid_expiry_month', 'exp_month', "Your card's expiration month is invalid.");
  }
  if (year * 12 + month - 1 < today.getUTCFullYear() * 12 + today.getUTCMonth()) {
    throw cardError('invalid_expiry_year', 'exp_year', "Your card's expiration year is invalid.");
  }
}

function fromIban(world: World, params: Stripe.PaymentMethodCreateParams): Stripe.PaymentMethod {
  if (!world.switches.debitsInSek) {
    throw unsupported('type', "payment methods of type sepa_debit while its switch 'debitsInSek' is off");
  }
  if (!params.sepa_debit) throw badParam('sepa_debit', 'Missing required param: sepa_debit.', 'parameter_missing');
  if (!params.billing_details?.name || !params.billing_details.email) {
    throw badParam('billing_details', 'A SEPA debit needs the name and the email of its payer.', 'parameter_missing');
  }
  const iban = ibanOf(params.sepa_debit.iban);
  const { card: _, ...frame } = fresh(world, TEST_CARDS.pm_card_visa!);
  return {
    ...frame,
    sepa_debit: {
      bank_code: iban.slice(4, 12),
      branch_code: null,
      country: iban.slice(0, 2),
      fingerprint: `Emulated-${DEBIT_IBANS[iban]}`,
      generated_from: { charge: null, setup_attempt: null },
      last4: iban.slice(-4),
    },
    type: 'sepa_debit',
  };
}

function billingOf(
  before: Stripe.PaymentMethod.BillingDetails,
  given: Stripe.PaymentMethodUpdateParams.BillingDetails | undefined,
): Stripe.PaymentMethod.BillingDetails {
  if (!given) return before;
  const text = (name: 'email' | 'name' | 'phone') =>
    given[name] === undefined ? before[name] : textOrNull(given[name]);
  const place = given.address;
  const { address } = before;
  return {
    address:
      place === undefined
        ? address
        : place === '' || place === null
          ? null
          : {
              city: place.city ?? address?.city ?? null,
              country: place.country ?? address?.country ?? null,
              line1: place.line1 ?? address?.line1 ?? null,
              line2: place.line2 ?? address?.line2 ?? null,
              postal_code: place.postal_code ?? address?.postal_code ?? null,
              state: place.state ?? address?.state ?? null,
            },
    email: text('email'),
    name: text('name'),
    phone: text('phone'),
    tax_id: before.tax_id,
  };
}

/** Changes a payment method that a customer has, as Stripe allows it. */
export function updatePaymentMethod(
  world: World,
  book: Book,
  params: Stripe.PaymentMethodUpdateParams,
  [id = '']: string[],
): Stripe.PaymentMethod {
  const before = book.paymentMethods.get(id);
  if (!before) throw missing('PaymentMethod', id, 'payment_method', 404);
  if (before.customer === null) {
    throw refused(
      'You must save this PaymentMethod to a customer before you can update it.',
      'payment_method_unexpected_state',
    );
  }
  if (params.card && !before.card) throw badParam('card', 'This PaymentMethod is not a card.');
  const month = params.card?.exp_month ?? before.card?.exp_month;
  const year = params.card?.exp_year ?? before.card?.exp_year;
  if (params.card) requireValid(world, month!, year!);
  const after = book.paymentMethods.put({
    ...before,
    allow_redisplay: params.allow_redisplay ?? before.allow_redisplay ?? 'unspecified',
    billing_details: billingOf(before.billing_details, params.billing_details),
    ...(before.card ? { card: { ...before.card, exp_month: month!, exp_year: year! } } : {}),
    metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
  });
  emitChange(world, book, 'payment_method.updated', before, after);
  return after;
}
