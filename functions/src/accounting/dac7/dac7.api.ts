import { z } from 'zod';
import { callable, documentIdSchema, wordsSchema, type CallableSpec } from '../../platform/entrance.ts';
import {
  dac7Report,
  setSellerIdentity as tell,
  type Dac7Input,
  type Dac7Reply,
  type IdentityInput,
} from './dac7.service.ts';

export const getDac7ReportSpec: CallableSpec<Dac7Input, Dac7Reply> = {
  name: 'getDac7Report',
  right: 'admin',
  input: z.strictObject({
    year: z.int().min(2023).max(2100),
    format: z.enum(['data', 'csv', 'xml']).optional(),
    cursor: documentIdSchema.optional(),
    coachIds: z.array(documentIdSchema).min(1).max(100).optional(),
    operatorSent: z.boolean().optional(),
  }),
  handle: (ctx, _caller, input) => dac7Report(ctx, input),
};

const country = z.string().regex(/^[A-Z]{2}$/, 'must be two capital letters, such as SE');

export const setSellerIdentitySpec: CallableSpec<IdentityInput, { coachId: string }> = {
  name: 'setSellerIdentity',
  right: 'coach or admin',
  limit: { perMinute: 10, perDay: 100 },
  input: z.strictObject({
    coachId: documentIdSchema.optional(),
    kind: z.enum(['individual', 'company']),
    firstName: wordsSchema(100).optional(),
    lastName: wordsSchema(100).optional(),
    name: wordsSchema(200).optional(),
    street: wordsSchema(200),
    postalCode: wordsSchema(20),
    city: wordsSchema(100),
    country,
    tin: z.string().regex(/^[A-Za-z0-9 -]{2,30}$/, 'must be 2 to 30 letters, digits, blanks or hyphens'),
    tinCountry: country,
    registrationNumber: wordsSchema(50).optional(),
    birthDate: z.iso.date().optional(),
    iban: z
      .string()
      .regex(/^[A-Za-z0-9 ]{15,42}$/, 'must be 15 to 42 letters, digits or blanks')
      .optional(),
  }),
  handle: tell,
};

export const getDac7Report = callable(getDac7ReportSpec);
export const setSellerIdentity = callable(setSellerIdentitySpec);
