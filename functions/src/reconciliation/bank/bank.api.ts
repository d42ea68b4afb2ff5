import { z } from 'zod';
import { callable, type CallableSpec } from '../../platform/entrance.ts';
import { matchBankStatement as match, type BankInput, type BankReply } from './bank.service.ts';

/** What fits into the body of a call, which is 64 kB: some weeks of a busy account. */
const longestContent = 50_000;

export const matchBankStatementSpec: CallableSpec<BankInput, BankReply> = {
  name: 'matchBankStatement',
  right: 'admin',
  limit: { perMinute: 10, perDay: 100 },
  input: z.strictObject({
    format: z.enum(['csv', 'camt053']),
    content: z.string().min(1).max(longestContent),
    account: z
      .string()
      .regex(/^[A-Za-z0-9 -]{1,40}$/, 'must be an IBAN or an account number')
      .optional(),
  }),
  handle: (ctx, _caller, input) => match(ctx, input),
};

export const matchBankStatement = callable(matchBankStatementSpec);
