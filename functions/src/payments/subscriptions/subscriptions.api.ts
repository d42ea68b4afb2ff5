import { z } from 'zod';
import { callable, documentIdSchema, requestIdSchema } from '../../platform/entrance.ts';
import { releaseParked } from '../../webhooks/webhooks.service.ts';
import { paymentPath } from '../payments.store.ts';
import {
  cancelSubscription as cancel,
  resumeSubscription as resume,
  updateSubscription as update,
  type CancelSubscriptionInput,
  type ResumeSubscriptionInput,
  type SubscriptionReply,
  type UpdateSubscriptionInput,
} from './changes.service.ts';
import {
  createSubscription as subscribe,
  type CreateSubscriptionInput,
  type CreateSubscriptionReply,
} from './subscriptions.service.ts';
import { subscriptionPath } from './subscriptions.store.ts';

const subscriptionIdSchema = z.string().regex(/^sub_[A-Za-z0-9_]{1,100}$/, 'must be a Stripe subscription id, sub_…');
const quantitySchema = z.int().min(1).max(100).optional();

export const createSubscription = callable<CreateSubscriptionInput, CreateSubscriptionReply>({
  name: 'createSubscription',
  right: 'anyone signed in',
  limit: { perMinute: 10, perDay: 50, cards: true },
  input: z.strictObject({
    productId: documentIdSchema,
    requestId: requestIdSchema,
    quantity: quantitySchema,
    paymentMethodId: z
      .string()
      .regex(/^pm_[A-Za-z0-9_]{1,100}$/, 'must be a Stripe payment method id, pm_…')
      .optional(),
  }),
  async handle(ctx, caller, input) {
    const reply = await subscribe(ctx, caller, input);
    if (reply.paymentId) await releaseParked(ctx, paymentPath(reply.paymentId));
    await releaseParked(ctx, subscriptionPath(reply.subscriptionId));
    return reply;
  },
});

export const updateSubscription = callable<UpdateSubscriptionInput, SubscriptionReply>({
  name: 'updateSubscription',
  right: 'anyone signed in',
  limit: { perMinute: 10, perDay: 100 },
  input: z
    .strictObject({
      subscriptionId: subscriptionIdSchema,
      requestId: requestIdSchema,
      productId: documentIdSchema.optional(),
      quantity: quantitySchema,
      preview: z.boolean().optional(),
    })
    .refine(({ productId, quantity }) => productId !== undefined || quantity !== undefined, {
      error: 'name a productId or a quantity',
    }),
  handle: update,
});

export const cancelSubscription = callable<CancelSubscriptionInput, SubscriptionReply>({
  name: 'cancelSubscription',
  right: 'anyone signed in',
  limit: { perMinute: 10, perDay: 100 },
  input: z.strictObject({
    subscriptionId: subscriptionIdSchema,
    requestId: requestIdSchema,
    when: z.enum(['now', 'period_end']),
  }),
  handle: cancel,
});

export const resumeSubscription = callable<ResumeSubscriptionInput, SubscriptionReply>({
  name: 'resumeSubscription',
  right: 'anyone signed in',
  limit: { perMinute: 10, perDay: 100 },
  input: z.strictObject({ subscriptionId: subscriptionIdSchema, requestId: requestIdSchema }),
  handle: resume,
});
