import { z } from 'zod';
import { callable, documentIdSchema, requestIdSchema, type CallableSpec } from '../platform/entrance.ts';
import { releaseParked } from '../webhooks/webhooks.service.ts';
import { processPayment as pay, type ProcessPaymentInput, type ProcessPaymentReply } from './payments.service.ts';
import { paymentPath } from './payments.store.ts';

const paymentMethodIdSchema = z.string().regex(/^pm_[A-Za-z0-9_]{1,100}$/, 'must be a Stripe payment method id, pm_…');

const paymentInput = z.strictObject({
  productId: documentIdSchema.optional(),
  orderId: documentIdSchema.optional(),
  sessionId: documentIdSchema.optional(),
  requestId: requestIdSchema,
  paymentMethodId: paymentMethodIdSchema.optional(),
  savePaymentMethod: z.boolean().optional(),
});

export const processPaymentSpec: CallableSpec<ProcessPaymentInput, ProcessPaymentReply> = {
  name: 'processPayment',
  right: 'anyone signed in',
  limit: { perMinute: 20, perDay: 200, cards: true },
  input: paymentInput,
  async handle(ctx, caller, input) {
    const reply = await pay(ctx, caller, input);
    await releaseParked(ctx, paymentPath(reply.paymentId));
    return reply;
  },
};

export const processPayment = callable(processPaymentSpec);
