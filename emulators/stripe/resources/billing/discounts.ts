/** Coupons, promotion codes and the discounts they become. */
import type Stripe from 'stripe';
import { badParam, missing, refused, unsupported } from '../../core/errors.ts';
import { emit, emitChange } from '../../core/events.ts';
import { inRange, page } from '../../core/list.ts';
import { mergeMetadata } from '../../core/params.ts';
import type { ExpandOnly } from '../../core/params.ts';
import type { Book, World } from '../../core/world.ts';
import { customerNamed } from '../lookup.ts';
import { requireSek } from '../money.ts';
import { addIntervals, nowOf } from './time.ts';

export function createCoupon(world: World, book: Book, params: Stripe.CouponCreateParams): Stripe.Coupon {
  const { percent_off: percent, amount_off: amount, duration = 'once' } = params;
  if (params.id !== undefined && book.billing.coupons.get(params.id))
    throw refused(`Coupon already exists: ${params.id}`, 'resource_already_exists', 'id');
  if ((percent === undefined) === (amount === undefined))
    throw badParam('percent_off', 'Must provide either percent_off or amount_off.', 'parameter_missing');
  if (percent !== undefined && (percent <= 0 || percent > 100))
    throw badParam('percent_off', 'Invalid percent_off: must be greater than 0 and at most 100.');
  if (amount !== undefined) {
    if (amount < 1) throw badParam('amount_off', 'Invalid positive integer', 'parameter_invalid_integer');
    if (params.currency === undefined)
      throw badParam('currency', 'You must pass currency when passing amount_off.', 'parameter_missing');
    requireSek(params.currency);
  }
  if ((duration === 'repeating') !== (params.duration_in_months !== undefined))
    throw badParam('duration_in_months', 'duration_in_months is needed with the duration repeating, and only with it.');
  if (params.duration_in_months !== undefined && params.duration_in_months < 1)
    throw badParam('duration_in_months', 'Invalid positive integer', 'parameter_invalid_integer');
  const coupon: Stripe.Coupon = {
    id: params.id ?? world.ids.next('c', 8).slice(2),
    object: 'coupon',
    amount_off: amount ?? null,
    created: world.now,
    currency: amount === undefined ? null : 'sek',
    duration,
    duration_in_months: params.duration_in_months ?? null,
    livemode: false,
    max_redemptions: params.max_redemptions ?? null,
    metadata: mergeMetadata({}, params.metadata),
    name: params.name ?? null,
    percent_off: percent ?? null,
    redeem_by: params.redeem_by ?? null,
    times_redeemed: 0,
    valid: true,
  };
  book.billing.coupons.add(coupon);
  emit(world, book, 'coupon.created', coupon);
  return coupon;
}

const shown = (world: World, coupon: Stripe.Coupon): Stripe.Coupon => ({ ...coupon, valid: isValid(world, coupon) });

const isValid = (world: World, coupon: Stripe.Coupon): boolean =>
  (coupon.redeem_by === null || world.now <= coupon.redeem_by) &&
  (coupon.max_redemptions === null || coupon.times_redeemed < coupon.max_redemptions);

function couponNamed(book: Book, id: string, param = 'coupon', status: 400 | 404 = 404): Stripe.Coupon {
  const coupon = book.billing.coupons.get(id);
  if (!coupon) throw missing('coupon', id, param, status);
  return coupon;
}

export const retrieveCoupon = (world: World, book: Book, _: ExpandOnly, [id = '']: string[]) =>
  shown(world, couponNamed(book, id));

export function updateCoupon(world: World, book: Book, params: Stripe.CouponUpdateParams, [id = '']: string[]) {
  const before = couponNamed(book, id);
  const after = book.billing.coupons.put({
    ...before,
    name: params.name ?? before.name,
    metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
  });
  emitChange(world, book, 'coupon.updated', before, after);
  return shown(world, after);
}

export const listCoupons = (_: World, book: Book, params: Stripe.CouponListParams) =>
  page(book.billing.coupons, '/v1/coupons', params, (each) => inRange(each.created, params.created));

/** A deleted coupon gives no new discounts; those it has given stay. */
export function deleteCoupon(world: World, book: Book, _: object, [id = '']: string[]) {
  const coupon = couponNamed(book, id);
  book.billing.coupons.delete(id);
  emit(world, book, 'coupon.deleted', coupon);
  return { id, object: 'coupon', deleted: true } satisfies Stripe.DeletedCoupon;
}

export function createPromotionCode(world: World, book: Book, params: Stripe.PromotionCodeCreateParams) {
  const coupon = couponNamed(book, params.promotion.coupon ?? '', 'promotion[coupon]', 400);
  if (params.customer !== undefined) customerNamed(book, params.customer);
  const code = params.code ?? world.ids.next('x', 8).slice(2).toUpperCase();
  if (!/^[A-Za-z0-9-]{1,500}$/.test(code))
    throw badParam('code', 'A promotion code has letters, digits and hyphens only.');
  if (codeNamed(book, code))
    throw refused(
      'An active promotion code with `code: ' + code + '` already exists.',
      'resource_already_exists',
      'code',
    );
  const made: Stripe.PromotionCode = {
    id: world.ids.next('promo'),
    object: 'promotion_code',
    active: params.active ?? true,
    code,
    created: world.now,
    customer: params.customer ?? null,
    customer_account: null,
    expires_at: params.expires_at ?? null,
    livemode: false,
    max_redemptions: params.max_redemptions ?? null,
    metadata: mergeMetadata({}, params.metadata),
    promotion: { coupon: coupon.id, type: 'coupon' },
    restrictions: { first_time_transaction: false, minimum_amount: null, minimum_amount_currency: null },
    times_redeemed: 0,
  };
  book.billing.promotionCodes.add(made);
  emit(world, book, 'promotion_code.created', made);
  return made;
}

/** The active promotion code a customer types; case does not matter. */
export const codeNamed = (book: Book, code: string): Stripe.PromotionCode | undefined =>
  book.billing.promotionCodes.values().find((each) => each.active && each.code.toLowerCase() === code.toLowerCase());

function promotionNamed(book: Book, id: string, param = 'promotion_code', status: 400 | 404 = 404) {
  const found = book.billing.promotionCodes.get(id);
  if (!found) throw missing('promotion code', id, param, status);
  return found;
}

export const retrievePromotionCode = (_: World, book: Book, __: ExpandOnly, [id = '']: string[]) =>
  promotionNamed(book, id);

export function updatePromotionCode(
  world: World,
  book: Book,
  params: Stripe.PromotionCodeUpdateParams,
  [id = '']: string[],
) {
  const before = promotionNamed(book, id);
  const after = book.billing.promotionCodes.put({
    ...before,
    active: params.active ?? before.active,
    metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
  });
  emitChange(world, book, 'promotion_code.updated', before, after);
  return after;
}

export const listPromotionCodes = (_: World, book: Book, params: Stripe.PromotionCodeListParams) =>
  page(
    book.billing.promotionCodes,
    '/v1/promotion_codes',
    params,
    (each) =>
      inRange(each.created, params.created) &&
      (params.active === undefined || each.active === params.active) &&
      (params.code === undefined || each.code.toLowerCase() === params.code.toLowerCase()) &&
      (params.coupon === undefined || each.promotion.coupon === params.coupon) &&
      (params.customer === undefined || each.customer === params.customer),
  );

export interface DiscountAsked {
  coupon?: string;
  promotion_code?: string;
  discount?: string;
}

export interface Redeemable {
  coupon: Stripe.Coupon;
  code: Stripe.PromotionCode | null;
}

/** The coupon behind what was asked for, still to be had by this customer. */
export function redeemable(
  world: World,
  book: Book,
  asked: DiscountAsked,
  customer: string | null,
  param: string,
): Redeemable {
  if (asked.discount !== undefined) throw unsupported(`${param}[discount]`, 'taking over an existing discount');
  if ((asked.coupon === undefined) === (asked.promotion_code === undefined))
    throw badParam(param, 'You must specify either `coupon` or `promotion_code`.', 'parameter_missing');
  const code =
    asked.promotion_code === undefined
      ? null
      : promotionNamed(book, asked.promotion_code, `${param}[promotion_code]`, 400);
  const id = code ? (code.promotion.coupon as string) : asked.coupon!;
  const coupon = couponNamed(book, id, `${param}[coupon]`, 400);
  const over =
    code !== null &&
    (!code.active ||
      (code.expires_at !== null && world.now > code.expires_at) ||
      (code.max_redemptions !== null && code.times_redeemed >= code.max_redemptions) ||
      (code.customer !== null && code.customer !== customer));
  if (over) throw refused('This promotion code cannot be redeemed.', 'coupon_expired', `${param}[promotion_code]`);
  if (!isValid(world, coupon)) throw refused(`Coupon expired: ${id}`, 'coupon_expired', `${param}[coupon]`);
  return { coupon, code };
}

/** Gives a discount, and counts its redemption. */
export function redeem(
  world: World,
  book: Book,
  { coupon, code }: Redeemable,
  to: { customer: Stripe.Customer | null; subscription?: string; invoice?: string; session?: string },
): Stripe.Discount {
  const start = to.customer ? nowOf(world, to.customer) : world.now;
  const discount: Stripe.Discount = {
    id: world.ids.next('di'),
    object: 'discount',
    checkout_session: to.session ?? null,
    customer: to.customer?.id ?? null,
    customer_account: null,
    end: coupon.duration === 'repeating' ? addIntervals(start, 'month', coupon.duration_in_months ?? 1) : null,
    invoice: to.invoice ?? null,
    invoice_item: null,
    promotion_code: code?.id ?? null,
    source: { coupon: coupon.id, type: 'coupon' },
    start,
    subscription: to.subscription ?? null,
    subscription_item: null,
  };
  book.billing.discounts.add(discount);
  book.billing.couponOf.set(discount.id, coupon);
  const now = book.billing.coupons.get(coupon.id) ?? coupon;
  book.billing.coupons.update(coupon.id, { times_redeemed: now.times_redeemed + 1 });
  if (code) book.billing.promotionCodes.update(code.id, { times_redeemed: code.times_redeemed + 1 });
  if (to.subscription !== undefined) emit(world, book, 'customer.discount.created', discount);
  return discount;
}

export const liveDiscounts = (
  _: World,
  book: Book,
  ids: string[],
  now: number,
): { id: string; coupon: Stripe.Coupon }[] =>
  ids.flatMap((id) => {
    const discount = book.billing.discounts.get(id);
    const coupon = book.billing.couponOf.get(id);
    const over = !discount || (discount.end !== null && discount.end <= now);
    return over || !coupon ? [] : [{ id, coupon }];
  });

/** Discounts that the next invoice of a subscription still has. */
export const carriedDiscounts = (world: World, book: Book, ids: string[], now: number): string[] =>
  liveDiscounts(world, book, ids, now)
    .filter(({ id, coupon }) => coupon.duration !== 'once' || !book.billing.spentDiscounts.has(id))
    .map(({ id }) => id);

/** `once` discounts of a subscription are over with the invoice that had them. */
export function spendDiscounts(book: Book, ids: string[]): void {
  for (const id of ids) book.billing.spentDiscounts.add(id);
}

/** The discounts a request asks for; an empty text takes all away. */
export const askedDiscounts = (given: DiscountAsked[] | '' | null | undefined): DiscountAsked[] | undefined =>
  given === undefined ? undefined : given === null || given === '' ? [] : given;
