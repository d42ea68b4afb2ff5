import { z } from 'zod';
import { callable, documentIdSchema, requestIdSchema, wordsSchema, type CallableSpec } from '../platform/entrance.ts';
import type { PayoutSettings } from './coaches.ts';
import { setCoachTerms as setTerms, updatePayoutSettings as updateSettings } from './settings.service.ts';
import type { SettingsInput, TermsInput, TermsReply } from './settings.service.ts';

const cadence = z.enum(['daily', 'weekly', 'biweekly', 'monthly', 'manual']);

const percent = z
  .number()
  .min(0)
  .max(100)
  .refine((value) => Math.round(value * 100) / 100 === value, 'must have at most two decimals');

const termsInput: z.ZodType<TermsInput> = z.strictObject({
  coachId: documentIdSchema,
  requestId: requestIdSchema,
  note: wordsSchema(500),
  feePercent: percent.optional(),
  feeFixedMinor: z.number().int().min(0).max(10_000_000).optional(),
  feeRounding: z.enum(['whole', 'minor']).optional(),
  chargeModel: z.enum(['destination', 'separate', 'direct']).optional(),
  mayRefund: z.boolean().optional(),
  invoicing: z.enum(['none', 'self_billing', 'commission']).optional(),
  vatNumber: z
    .string()
    .regex(/^[A-Z]{2}[A-Z0-9]{2,12}$/, 'must be a VAT number like SE556677889901')
    .nullable()
    .optional(),
  invoiceName: wordsSchema(200).optional(),
  invoiceAddress: wordsSchema(500).optional(),
  cadence: cadence.optional(),
  holdReason: wordsSchema(500).nullable().optional(),
});

export const setCoachTermsSpec: CallableSpec<TermsInput, TermsReply> = {
  name: 'setCoachTerms',
  right: 'admin',
  input: termsInput,
  handle: (ctx, caller, input) => setTerms(ctx, caller.uid, input),
};

export const updatePayoutSettingsSpec: CallableSpec<SettingsInput, { payoutSettings: PayoutSettings }> = {
  name: 'updatePayoutSettings',
  right: 'coach',
  // Its own account only: the caller's uid says whose, and an input that names another is refused.
  input: z.strictObject({
    requestId: requestIdSchema,
    cadence: cadence.optional(),
    minimumMinor: z.number().int().optional(),
  }),
  handle: (ctx, caller, input) => updateSettings(ctx, caller.uid, input),
};

export const setCoachTerms = callable(setCoachTermsSpec);
export const updatePayoutSettings = callable(updatePayoutSettingsSpec);
