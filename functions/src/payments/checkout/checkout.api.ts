import { z } from 'zod';
import { callable, documentIdSchema, requestIdSchema, type CallableSpec } from '../../platform/entrance.ts';
import { createCheckoutSession as open, type CheckoutInput, type CheckoutReply } from './checkout.service.ts';
import { createPortalSession as link, type PortalInput } from './portal.service.ts';

const address = z
  .string()
  .max(2000)
  .regex(/^[\x21-\x7e]+$/, 'must be an address in plain letters');

/** What Stripe's payment pages and its customer portal both speak. */
const locales =
  'auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv ' +
  'th tr vi zh zh-HK zh-TW';
const locale = z.enum(locales.split(' '));

export const createCheckoutSessionSpec: CallableSpec<CheckoutInput, CheckoutReply> = {
  name: 'createCheckoutSession',
  right: 'anyone signed in',
  limit: { perMinute: 10, perDay: 100, cards: true },
  input: z.strictObject({
    mode: z.enum(['payment', 'subscription', 'setup']),
    productId: documentIdSchema.optional(),
    orderId: documentIdSchema.optional(),
    sessionId: documentIdSchema.optional(),
    successUrl: address,
    cancelUrl: address.optional(),
    locale: locale.optional(),
    quantity: z.int().min(1).max(100).optional(),
    allowPromotionCodes: z.boolean().optional(),
    requestId: requestIdSchema,
  }),
  handle: (ctx, caller, input) => open(ctx, caller, input),
};

export const createPortalSessionSpec: CallableSpec<PortalInput, { url: string }> = {
  name: 'createPortalSession',
  right: 'anyone signed in',
  limit: { perMinute: 10, perDay: 100 },
  input: z.strictObject({ returnUrl: address, locale: locale.optional() }),
  handle: (ctx, caller, input) => link(ctx, caller, input),
};

export const createCheckoutSession = callable(createCheckoutSessionSpec);
export const createPortalSession = callable(createPortalSessionSpec);
