import type { FieldValue, Timestamp } from 'firebase-admin/firestore';
import { hasCome, moneyIsHere, type MoneyOf } from '../payments/entitlements/money.ts';
import { paymentStatusOf, type OrderPaymentStatus } from '../payments/orders/orders.ts';
import { requireForSale, type Product } from '../payments/products.ts';
import { minutes } from '../platform/clock.ts';
import { Refusal } from '../platform/errors.ts';
import type { Currency, Minor } from '../platform/money.ts';

/** `no_show`: the student did not come. What was booked ends as one of the others and stays so. */
export type SessionStatus = 'booked' | 'completed' | 'canceled' | 'no_show';

/** What its payment says of it, as of an order; `credit`: it was paid for in advance. */
export type SessionPaymentStatus = OrderPaymentStatus | 'credit';

/** Who is coached: named by the payer, with a login of their own or without. */
export interface Student {
  name: string;
  userId?: string;
}

/**
 * What a session is paid with. `payment`: a charge for it alone; whether its price is held until completion says the payment
 * (`held`; a tenant's own charge holds nothing). `credit`: one of those bought with `paymentId`, for `priceMinor` of it.
 */
export type PaidBy =
  { with: 'payment'; paymentId?: string } | { with: 'credit'; paymentId: string; priceMinor: Minor; held: boolean };

/** `system`: it was not paid in time, or its money went back some other way than by canceling it. */
export type CanceledBy = 'customer' | 'coach' | 'admin' | 'system';

/** Minor units of the session's currency, as they were decided; how far a refund is, its own document says. */
export interface Cancellation {
  /** By the customer, too near to its start. */
  late: boolean;
  refundMinor: Minor;
  /** Shared like a sale. */
  keptMinor: Minor;
  refundId?: string;
  /** Of one booked with a credit. */
  credit?: 'returned' | 'used';
}

/**
 * `sessions/{id}`: read by the payer, the student and the coach, so nothing is in it that one of them may not see. Price,
 * share and length are as they were when it was booked.
 */
export interface Session {
  /** The payer. */
  userId: string;
  student: Student;
  coachId: string;
  productId: string;
  /** The product's name. */
  description: string;
  startsAt: Timestamp;
  endsAt: Timestamp;
  status: SessionStatus;
  paidBy: PaidBy;
  paymentStatus: SessionPaymentStatus;
  /** The PaymentIntent that pays it; another follows only when Stripe says that this one is canceled. */
  activePaymentId?: string;
  /** What is charged for it; with a credit, its part of what the credits cost. */
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  /** Percent, inside the price. */
  vatRate: number;
  customerName: string;
  /** Unpaid by then, its time is free again. Gone once it is paid. */
  payBy?: Timestamp;
  canceledBy?: CanceledBy;
  canceledAt?: Timestamp;
  /** Uid, or `system`. */
  completedBy?: string;
  completedAt?: Timestamp;
  /** In words for both sides. */
  reason?: string;
  /** Its money came after it was canceled: the sweep gives all of it back. */
  refundDue?: true;
  /** How often it was moved, and by whom last. */
  rescheduled: number;
  movedBy?: CanceledBy;
  /** What canceling it did to its money. */
  cancellation?: Cancellation;
  /** How long it was, once it is completed: the coach's hours are summed by it. */
  minutes?: number;
  /** It counts for how reliably its coach's sessions take place: completed, not shown up to, canceled late or by the coach. */
  counts?: true;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

/** A change of a session: fields to write, and fields to remove. */
export type SessionPatch = { [field in keyof Session]?: Session[field] | FieldValue };

/** A product that is a session with a coach. */
export type Bookable = Product & { coachId: string };

/** Throws the Refusal of a product that is not for sale, or not a session at a time of its own. */
export function requireBookable(id: string, product: Product | undefined, accepted: readonly Currency[]): Bookable {
  const sold = requireForSale(id, product, accepted);
  const { kind, name, coachId } = sold;
  if (kind === 'session' && coachId !== undefined) return { ...sold, coachId };
  throw new Refusal(
    'failed-precondition',
    'not-a-session',
    `${name} is not a session with a coach. Call processPayment, createOrder or createSubscription for it.`,
  );
}

/** What a caller is to a session; the payer before the student, where they are one. */
export type Party = 'payer' | 'student' | 'coach';

export function partyOf({ userId, student, coachId }: Session, uid: string): Party | undefined {
  if (uid === userId) return 'payer';
  if (uid === coachId) return 'coach';
  return uid === student.userId ? 'student' : undefined;
}

/** The money is here, or was paid in advance. A part of it may have gone back. */
export const isPaid = ({ paymentStatus }: Pick<Session, 'paymentStatus'>): boolean =>
  paymentStatus === 'paid' || paymentStatus === 'partially_refunded' || paymentStatus === 'credit';

/** Booked for good: neither unpaid nor over. */
export const isConfirmed = (session: Pick<Session, 'status' | 'paymentStatus'>): boolean =>
  session.status === 'booked' && isPaid(session);

/** How long a session is. */
export const lengthMs = ({ startsAt, endsAt }: Pick<Session, 'startsAt' | 'endsAt'>): number =>
  endsAt.toMillis() - startsAt.toMillis();

/** How many bookings somebody has at once who has not paid for them: times that nobody else can have meanwhile. */
export const mostUnpaid = 5;

/** By when an unpaid booking of this moment is to be paid: never later than it starts. */
export function payByOf(now: Date, startsAt: Date, paymentMinutes: number): Date {
  return new Date(Math.min(now.getTime() + minutes(paymentMinutes), startsAt.getTime()));
}

/** Throws the Refusal of a session that is not to be paid (any more). */
export function requirePayable(id: string, { status, paymentStatus, payBy }: Session, now: Date): void {
  const about = { sessionId: id };
  if (paymentStatus === 'credit')
    throw new Refusal('failed-precondition', 'paid-with-credit', `Session ${id} is paid with a credit.`, about);
  if (isPaid({ paymentStatus }) || paymentStatus === 'refunded')
    throw new Refusal('already-exists', 'session-paid', `Session ${id} is paid already.`, about);
  if (status !== 'booked')
    throw new Refusal('failed-precondition', 'session-not-booked', `Session ${id} is ${status}.`, about);
  if (payBy && payBy.toMillis() <= now.getTime()) throw bookingExpired(id);
}

export const bookingExpired = (sessionId: string): Refusal =>
  new Refusal('failed-precondition', 'booking-expired', `Session ${sessionId} was not paid in time. Book anew.`, {
    sessionId,
  });

/** As an order's, and a dispute that is lost gives back as a refund does. */
export function paymentStatusFor(payment: Parameters<typeof paymentStatusOf>[0] & MoneyOf): OrderPaymentStatus {
  const gone = hasCome(payment) && payment.difference === undefined && !moneyIsHere(payment);
  return gone ? 'refunded' : paymentStatusOf(payment);
}

/** Its money has not come. */
export const isUnpaid = ({ paymentStatus }: Pick<Session, 'paymentStatus'>): boolean =>
  paymentStatus === 'unpaid' || paymentStatus === 'pending' || paymentStatus === 'failed';

/**
 * How a session follows its payment. `paid`: its money is here, for good as far as anybody knows. `late`: it came after the
 * session was canceled, and all of it is given back. `returned`: all of it went back while the session was still to come,
 * so that there will be none. Undefined: nothing changes.
 */
export function followed(
  session: Pick<Session, 'status' | 'paymentStatus'>,
  payment: Parameters<typeof paymentStatusFor>[0],
): { paymentStatus: OrderPaymentStatus; becomes: 'paid' | 'late' | 'returned' | undefined } | undefined {
  const paymentStatus = paymentStatusFor(payment);
  if (paymentStatus === session.paymentStatus) return undefined;
  if (isPaid({ paymentStatus }) && isUnpaid(session))
    return { paymentStatus, becomes: session.status === 'canceled' ? 'late' : 'paid' };
  const returned = paymentStatus === 'refunded' && session.status === 'booked';
  return { paymentStatus, becomes: returned ? 'returned' : undefined };
}
