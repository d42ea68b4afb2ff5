import { z } from 'zod';
import { minimumPayout } from '../../coaches/coaches.ts';
import { callable, requestIdSchema, type CallableSpec } from '../../platform/entrance.ts';
import { payPlatform as pay, type PayPlatformInput, type PayPlatformReply } from './platform.service.ts';

export const payPlatformSpec: CallableSpec<PayPlatformInput, PayPlatformReply> = {
  name: 'payPlatform',
  right: 'admin',
  limit: { perMinute: 5, perDay: 50 },
  input: z.strictObject({
    amountMinor: z.number().int().min(minimumPayout).optional(),
    requestId: requestIdSchema,
  }),
  handle: pay,
};

export const payPlatform = callable(payPlatformSpec);
