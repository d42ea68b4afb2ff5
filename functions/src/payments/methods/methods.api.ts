import { z } from 'zod';
import { callable, requestIdSchema } from '../../platform/entrance.ts';
import * as service from './methods.service.ts';
import type { ShownMethod } from './methods.ts';

interface Named {
  paymentMethodId: string;
}
interface Listed {
  paymentMethods: ShownMethod[];
}

const named: z.ZodType<Named> = z.strictObject({
  paymentMethodId: z.string().regex(/^pm_[A-Za-z0-9_]{1,100}$/, 'must be a Stripe payment method id, pm_…'),
});

export const createSetupIntent = callable<{ requestId: string }, service.SetupReply>({
  name: 'createSetupIntent',
  right: 'anyone signed in',
  limit: { perMinute: 10, perDay: 50, cards: true },
  input: z.strictObject({ requestId: requestIdSchema }),
  handle: (ctx, caller, { requestId }) => service.createSetupIntent(ctx, caller, requestId),
});

export const listPaymentMethods = callable<Record<string, never>, Listed>({
  name: 'listPaymentMethods',
  right: 'anyone signed in',
  input: z.strictObject({}),
  handle: (ctx, caller) => service.listPaymentMethods(ctx, caller.uid),
});

/** Answers with the methods as they then are. */
export const setDefaultPaymentMethod = callable<Named, Listed>({
  name: 'setDefaultPaymentMethod',
  right: 'anyone signed in',
  input: named,
  handle: (ctx, caller, { paymentMethodId }) => service.setDefaultPaymentMethod(ctx, caller.uid, paymentMethodId),
});

/** Answers with the methods that are left. */
export const removePaymentMethod = callable<Named, Listed>({
  name: 'removePaymentMethod',
  right: 'anyone signed in',
  input: named,
  handle: (ctx, caller, { paymentMethodId }) => service.removePaymentMethod(ctx, caller.uid, paymentMethodId),
});
