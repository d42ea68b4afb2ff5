import { Timestamp, type Firestore, type Transaction } from 'firebase-admin/firestore';
import { days, minutes } from './clock.ts';
import type { Context } from './context.ts';
import { isContention, Refusal } from './errors.ts';

/** How often one user may call a costly function: that many at once, refilled evenly. */
export interface Limit {
  perMinute: number;
  perDay: number;
  /** Also refused while the user is paused for too many declined cards. */
  cards?: true;
}

/**
 * A token bucket as one number: until when the calls so far have used it up, in Unix milliseconds. (The generic cell rate
 * algorithm: a call adds its interval, and is refused when that would reach further ahead than a full bucket.)
 */
type UsedUntil = number;

export interface CallsOfOne {
  minute: UsedUntil;
  day: UsedUntil;
  /** The last commands counted: one of them asked for again is no new command. */
  requestIds: string[];
}

/** `limits/{uid}`: one user's own, so that nobody else's calls wait for it. Clients cannot read it. */
export interface Limits {
  calls?: Record<string, CallsOfOne>;
  /** No cards until then. */
  pausedUntil?: Timestamp;
  updatedAt: Timestamp;
  /** TTL. */
  expiresAt: Timestamp;
}

const periodMs = { minute: minutes(1), day: days(1) };

/** Long past the day that a bucket looks back on, and past any pause. */
const keptMs = days(30);

/** The same command again costs us less, but not nothing. */
const repeatsPerCommand = 10;

const isRepeated = (calls: CallsOfOne | undefined, requestId: string | undefined): boolean =>
  requestId !== undefined && (calls?.requestIds.includes(requestId) ?? false);

/**
 * What one call does to a bucket of `count` in `ms`. A repeated one costs a tenth and has a bucket's room to itself, so
 * that whoever asks what became of their last command is answered.
 */
function use(used: UsedUntil, count: number, ms: number, now: number, repeated: boolean): [UsedUntil, waitMs: number] {
  const until = Math.max(used, now) + ms / (repeated ? count * repeatsPerCommand : count);
  return [until, Math.max(0, Math.ceil(until - now - (repeated ? 2 * ms : ms)))];
}

/** Counts one call, or says how long to wait. Pure; a refused call uses nothing up. */
export function spend(
  calls: CallsOfOne | undefined,
  limit: Limit,
  now: number,
  requestId?: string,
): { waitMs: number; calls: CallsOfOne } {
  const before = calls ?? { minute: 0, day: 0, requestIds: [] };
  const repeated = isRepeated(calls, requestId);
  const [minute, minuteWait] = use(before.minute, limit.perMinute, periodMs.minute, now, repeated);
  const [day, dayWait] = use(before.day, limit.perDay, periodMs.day, now, repeated);
  const waitMs = Math.max(minuteWait, dayWait);
  if (waitMs > 0) return { waitMs, calls: before };
  const known = requestId === undefined || repeated ? before.requestIds : [requestId, ...before.requestIds];
  return { waitMs, calls: { minute, day, requestIds: known.slice(0, limit.perMinute) } };
}

const refOf = (db: Firestore, uid: string) => db.collection('limits').doc(uid);

export async function readLimits(db: Firestore, tx: Transaction, uid: string): Promise<Limits | undefined> {
  return (await tx.get(refOf(db, uid))).data() as Limits | undefined;
}

/** Changes some fields of a user's limits, and keeps the document from expiring. */
export function mergeLimits<T extends object>(db: Firestore, tx: Transaction, uid: string, patch: T, now: Date): void {
  const updatedAt = Timestamp.fromDate(now);
  const expiresAt = Timestamp.fromMillis(now.getTime() + keptMs);
  tx.set(refOf(db, uid), { ...patch, updatedAt, expiresAt }, { merge: true });
}

interface Overdrawn {
  reason: 'too-many-declines' | 'too-many-requests';
  waitMs: number;
}

/** One transaction on the user's own document. Throws Refusal `too-many-requests` or `too-many-declines`, with seconds to wait. */
export async function requireRoom(
  ctx: Context,
  uid: string,
  name: string,
  limit: Limit,
  input: unknown,
): Promise<void> {
  const counted = ctx.db.runTransaction(async (tx): Promise<Overdrawn | undefined> => {
    const limits = await readLimits(ctx.db, tx, uid);
    // After the read: calls at once are counted one after the other, each at its own time.
    const now = ctx.clock.now();
    const before = limits?.calls?.[name];
    const requestId = requestIdOf(input);
    const pausedMs = (limit.cards ? (limits?.pausedUntil?.toMillis() ?? 0) : 0) - now.getTime();
    // A command given before the pause charges no further card; what became of it may be asked.
    if (pausedMs > 0 && !isRepeated(before, requestId)) return { reason: 'too-many-declines', waitMs: pausedMs };
    const { waitMs, calls } = spend(before, limit, now.getTime(), requestId);
    if (waitMs > 0) return { reason: 'too-many-requests', waitMs };
    mergeLimits(ctx.db, tx, uid, { calls: { [name]: calls } }, now);
    return undefined;
  });
  const refused = await counted.catch((error: unknown): Overdrawn => {
    // Only one user's own calls meet on their document: so many at once that they could not even be counted are too many.
    if (isContention(error)) return { reason: 'too-many-requests', waitMs: 1_000 };
    throw error;
  });
  if (!refused) return;
  const seconds = Math.ceil(refused.waitMs / 1000);
  ctx.log.warn('throttle.refused', { uid, name, reason: refused.reason, seconds });
  throw refusalOf(refused.reason, seconds);
}

function requestIdOf(input: unknown): string | undefined {
  const id = typeof input === 'object' && input !== null && 'requestId' in input ? input.requestId : undefined;
  return typeof id === 'string' ? id : undefined;
}

const refusalOf = (reason: Overdrawn['reason'], retryAfterSeconds: number): Refusal =>
  new Refusal(
    'resource-exhausted',
    reason,
    reason === 'too-many-declines'
      ? `Too many cards were declined. Try again in ${inWords(retryAfterSeconds)}, or contact support.`
      : `Too many requests. Try again in ${inWords(retryAfterSeconds)}.`,
    { retryAfterSeconds },
  );

const inWords = (seconds: number): string => (seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`);
