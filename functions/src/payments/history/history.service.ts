import type { Caller } from '../../platform/auth.ts';
import { addDays, startOfBusinessDate, type BusinessDate } from '../../platform/clock.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { readPayment } from '../payments.store.ts';
import type { Payment, PaymentStatus } from '../payments.ts';
import { listed, type ListedPayment } from './history.ts';
import { pageOf } from './history.store.ts';

export interface ListPaymentsInput {
  /** Whose, for administrators; without it the caller's own. */
  userId?: string | undefined;
  status?: PaymentStatus | undefined;
  productId?: string | undefined;
  /** Business dates, both included. */
  from?: BusinessDate | undefined;
  to?: BusinessDate | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  limit?: number | undefined;
}

export interface ListPaymentsReply {
  payments: ListedPayment[];
  /** null: this is the last page. */
  nextCursor: string | null;
}

const usualPage = 20;

/** A user's payments, the newest first. Throws Refusal. */
export async function listPayments(ctx: Context, caller: Caller, input: ListPaymentsInput): Promise<ListPaymentsReply> {
  const userId = input.userId ?? caller.uid;
  if (userId !== caller.uid && !caller.admin) {
    throw new Refusal('permission-denied', 'not-your-payments', 'Only administrators see the payments of others.');
  }
  const limit = input.limit ?? usualPage;
  const found = await pageOf(ctx.db, {
    userId,
    status: input.status,
    productId: input.productId,
    from: input.from === undefined ? undefined : startOfBusinessDate(input.from),
    before: input.to === undefined ? undefined : startOfBusinessDate(addDays(input.to, 1)),
    after: input.cursor === undefined ? undefined : await payingAt(ctx, userId, input.cursor),
    limit: limit + 1,
  });
  const shown = found.slice(0, limit);
  return {
    payments: shown.map(listed),
    nextCursor: found.length > limit ? (shown.at(-1)?.stripePaymentId ?? null) : null,
  };
}

/** A cursor names the last payment shown: one of the same user's, so a made-up one reaches nobody else's. */
async function payingAt(ctx: Context, userId: string, cursor: string): Promise<Payment> {
  const payment = await readPayment(ctx.db, cursor);
  if (payment?.userId === userId) return payment;
  throw new Refusal(
    'invalid-argument',
    'cursor-unknown',
    'This cursor is not of this list. Start from the first page.',
  );
}
