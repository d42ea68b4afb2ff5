import { z } from 'zod';
import { callable, type CallableSpec } from '../../platform/entrance.ts';
import { matchBankStatement as match, type BankInput, type BankReply } from './bank.service.ts';

/**
 * The largest statement fits, its quotation marks and line breaks escaped and its letters two bytes each. Reading it takes
 * some 350 MiB.
 */
const file = { bodyBytes: 16 * 1024 * 1024, memory: '1GiB' } as const;

export const matchBankStatementSpec: CallableSpec<BankInput, BankReply> = {
  name: 'matchBankStatement',
  right: 'admin',
  limit: { perMinute: 10, perDay: 100 },
  file,
  input: z.strictObject({
    format: z.enum(['csv', 'camt053']),
    content: z.string().min(1),
    account: z
      .string()
      .regex(/^[A-Za-z0-9 -]{1,40}$/, 'must be an IBAN or an account number')
      .optional(),
  }),
  handle: (ctx, _caller, input) => match(ctx, input),
};

export const matchBankStatement = callable(matchBankStatementSpec);
