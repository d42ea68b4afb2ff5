import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { requireChargeable } from '../payments/amounts.ts';
import { planSpendCredit } from '../payments/entitlements/entitlements.service.ts';
import { acceptedCurrencies } from '../payments/products.ts';
import { readPayment, readProduct } from '../payments/reads.service.ts';
import { shareOf } from '../payments/shares.service.ts';
import type { Caller } from '../platform/auth.ts';
import { minutes } from '../platform/clock.ts';
import { runCommand } from '../platform/commands.ts';
import type { Context } from '../platform/context.ts';
import { isContention, Refusal } from '../platform/errors.ts';
import { planLetter } from '../platform/mail.ts';
import { toMajor, type Currency, type Minor } from '../platform/money.ts';
import { runWrites, type Write } from '../platform/write.ts';
import { bookedLetter } from './letters.ts';
import {
  mostUnpaid,
  payByOf,
  requireBookable,
  type Bookable,
  type Session,
  type SessionPaymentStatus,
  type SessionStatus,
  type Student,
} from './sessions.ts';
import * as store from './sessions.store.ts';
import { planTakeTime } from './slots.service.ts';

export interface BookInput {
  productId: string;
  /** ISO 8601 with an offset. */
  startsAt: string;
  /** Who is coached; the caller unless told. */
  student?: { name: string; userId?: string | undefined } | undefined;
  /** Paid with a session bought in advance instead of a payment of its own. */
  useCredit?: boolean | undefined;
  requestId: string;
}

export interface BookReply {
  sessionId: string;
  status: SessionStatus;
  paymentStatus: SessionPaymentStatus;
  startsAt: string;
  endsAt: string;
  /** Not paid by then, the time is free again. */
  payBy?: string;
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  paidBy: 'payment' | 'credit';
}

const bookSessionCommand = 'bookSession';

/** Books a time with a coach. Time, price and credit are settled in the one commit that also accepts the command. */
export async function bookSession(ctx: Context, caller: Caller, input: BookInput): Promise<BookReply> {
  try {
    return await runCommand<BookReply, BookReply>(ctx, {
      command: bookSessionCommand,
      uid: caller.uid,
      requestId: input.requestId,
      input,
      plan: (tx) => planBooking(ctx, tx, caller, input),
    });
  } catch (error) {
    if (!isContention(error)) throw error;
    throw new Refusal('aborted', 'day-contended', 'Many book this day right now. Ask again with the same requestId.');
  }
}

async function planBooking(ctx: Context, tx: Transaction, caller: Caller, input: BookInput): Promise<BookReply> {
  const { productId, useCredit = false } = input;
  const product = await readBookable(ctx, tx, productId, caller);
  const sessionId = store.newSessionId(ctx.db);
  const now = ctx.clock.now();
  const startsAt = new Date(input.startsAt);
  const endsAt = new Date(startsAt.getTime() + minutes(product.durationMinutes ?? ctx.config.sessionMinutes));
  const booking = { sessionId, userId: caller.uid, product, startsAt };
  const paid = useCredit ? await withCredit(ctx, tx, booking) : await withPayment(ctx, tx, booking, now);
  const { coachId } = product;
  const until = paid.part.payBy ? { until: paid.part.payBy.toDate() } : {};
  const time = await planTakeTime(ctx, tx, sessionId, { coachId, startsAt, endsAt, ...until });
  const session: Session = {
    userId: caller.uid,
    student: studentOf(caller, input.student),
    coachId,
    productId,
    description: product.name,
    startsAt: Timestamp.fromDate(startsAt),
    endsAt: Timestamp.fromDate(endsAt),
    status: 'booked',
    ...paid.part,
    vatRate: product.vatRate,
    customerName: caller.name ?? '',
    rescheduled: 0,
    createdAt: Timestamp.fromDate(now),
    updatedAt: Timestamp.fromDate(now),
  };
  const letter = useCredit ? [planLetter(ctx.db, `session-booked_${sessionId}`, bookedLetter(session))] : [];
  runWrites(tx, [...paid.writes, ...time, ...letter]);
  store.createSession(ctx.db, tx, sessionId, session);
  return replyOf(sessionId, session);
}

async function readBookable(ctx: Context, tx: Transaction, productId: string, { uid }: Caller): Promise<Bookable> {
  const sold = requireBookable(productId, await readProduct(ctx.db, productId, tx), acceptedCurrencies(ctx.config));
  if (sold.coachId !== uid) return sold;
  throw new Refusal('failed-precondition', 'own-session', 'You cannot book a session with yourself.');
}

/** What a session says of its price and how it is paid. */
type Paid = Pick<Session, 'paidBy' | 'paymentStatus' | 'amount' | 'amountMinor' | 'currency' | 'payBy'>;

interface Booking {
  sessionId: string;
  userId: string;
  product: Bookable;
  startsAt: Date;
}

async function withCredit(
  ctx: Context,
  tx: Transaction,
  { sessionId, userId, product: { coachId }, startsAt }: Booking,
): Promise<{ part: Paid; writes: Write[] }> {
  const at = Timestamp.fromDate(startsAt);
  const credit = await planSpendCredit(ctx, tx, { userId, coachId, sessionId, at });
  const { paymentId, priceMinor: amountMinor, held, writes } = credit;
  const bought = await readPayment(ctx.db, paymentId, tx);
  if (!bought) throw new Error(`payments/${paymentId} is not there, whose credit session ${sessionId} would spend.`);
  const { currency } = bought;
  const paidBy = { with: 'credit', paymentId, priceMinor: amountMinor, held } as const;
  return { part: { paidBy, paymentStatus: 'credit', ...amountOf(amountMinor, currency) }, writes };
}

async function withPayment(
  ctx: Context,
  tx: Transaction,
  { userId, product, startsAt }: Booking,
  now: Date,
): Promise<{ part: Paid; writes: Write[] }> {
  if ((await store.countUnpaid(ctx.db, tx, userId, now, mostUnpaid)) >= mostUnpaid) {
    throw new Refusal(
      'resource-exhausted',
      'too-many-unpaid',
      `You have ${mostUnpaid} sessions that are not paid for yet. Pay for one of them, or cancel it.`,
    );
  }
  const { coachId, name, amountMinor, currency } = product;
  requireChargeable(amountMinor, currency, name);
  // Nobody holds a time that could not be paid for. The share is worked out when it is.
  await shareOf(ctx, tx, coachId, { name, amountMinor, currency, sentLater: true });
  const payBy = Timestamp.fromDate(payByOf(now, startsAt, ctx.config.sessionPaymentMinutes));
  const part = {
    paidBy: { with: 'payment' },
    paymentStatus: 'unpaid',
    payBy,
    ...amountOf(amountMinor, currency),
  } as const;
  return { part, writes: [] };
}

const amountOf = (amountMinor: Minor, currency: Currency) => ({
  amount: toMajor(amountMinor, currency),
  amountMinor,
  currency,
});

function studentOf({ uid, name = '' }: Caller, told: BookInput['student']): Student {
  if (!told) return { name, userId: uid };
  return { name: told.name, ...(told.userId === undefined ? {} : { userId: told.userId }) };
}

function replyOf(sessionId: string, session: Session): BookReply {
  const { status, paymentStatus, startsAt, endsAt, payBy, amount, amountMinor, currency, paidBy } = session;
  return {
    sessionId,
    status,
    paymentStatus,
    startsAt: startsAt.toDate().toISOString(),
    endsAt: endsAt.toDate().toISOString(),
    ...(payBy ? { payBy: payBy.toDate().toISOString() } : {}),
    amount,
    amountMinor,
    currency,
    paidBy: paidBy.with,
  };
}
