import { z } from 'zod';
import { callable, documentIdSchema, requestIdSchema } from '../../platform/entrance.ts';
import { cancelOrder as cancel, type CancelOrderInput, type CancelOrderReply } from './cancel.service.ts';
import { limits, orderKinds } from './orders.ts';
import { createOrder as create, type CreateOrderInput, type CreateOrderReply } from './orders.service.ts';

export const createOrder = callable<CreateOrderInput, CreateOrderReply>({
  name: 'createOrder',
  right: 'anyone signed in',
  limit: { perMinute: 20, perDay: 200 },
  input: z.strictObject({
    items: z
      .array(z.strictObject({ productId: documentIdSchema, quantity: z.int().min(1).max(limits.quantity) }))
      .min(1)
      .max(limits.items),
    kind: z.enum(orderKinds).optional(),
    requestId: requestIdSchema,
  }),
  handle: (ctx, caller, input) => create(ctx, caller, input),
});

export const cancelOrder = callable<CancelOrderInput, CancelOrderReply>({
  name: 'cancelOrder',
  right: 'anyone signed in',
  limit: { perMinute: 20, perDay: 200 },
  input: z.strictObject({ orderId: documentIdSchema, requestId: requestIdSchema }),
  handle: cancel,
});
