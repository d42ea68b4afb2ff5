import type { Transaction } from 'firebase-admin/firestore';
import { planFlag, planResolve, raiseFlag } from '../admin/flags.service.ts';
import type { FlagInput } from '../admin/flags.ts';
import { planFortnoxReference } from '../payouts/payouts.service.ts';
import { planPlatformReference } from '../payouts/platform/platform.service.ts';
import { addDays, businessDate, minutes } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { messageOf } from '../platform/errors.ts';
import { FortnoxError } from '../platform/fortnox/errors.ts';
import type { FinancialYear, FortnoxClient } from '../platform/fortnox/client.ts';
import { runWrites, type Write } from '../platform/write.ts';
import {
  holdMs,
  inTime,
  mayPost,
  mustLookUp,
  posted,
  putBack,
  rejected,
  stillLeased,
  takeLease,
  unclear,
  withoutDoubt,
  type FortnoxVoucherRef,
  type Lease,
  type Voucher,
} from './accounting.ts';
import { disprovedBy, lockedFlag, rejectedFlag, twiceFlag } from './accounting-flags.ts';
import * as logs from './accounting.logs.ts';
import * as store from './accounting.store.ts';
import { checkPostable, forget, registersOf, type Obstacle } from './preflight.service.ts';
import { redated } from './vouchers.ts';

/** Fortnox: "... har låst perioden t.o.m. ...". */
const PERIOD_LOCKED = 2000401;
/** How long a voucher waits for the sweep when the queue does not come to it sooner. */
const putBackMs = minutes(5);

export type PostOutcome = 'posted' | 'found' | 'held' | 'rejected' | 'left';

/**
 * Posts one voucher, once. Fortnox has no idempotency, so: one worker at a time holds the voucher (a lease), anything but
 * a first attempt looks in Fortnox for the voucher's key before it posts, and after an unclear post only a look-up at
 * least 30 s later that finds nothing allows another. Throws when it should be tried again soon (unclear, rate limited,
 * no token): the queue does.
 */
export async function postOne(ctx: Context, voucherId: string): Promise<PostOutcome> {
  const lease = await takeVoucher(ctx, voucherId);
  if (!lease.taken) {
    logs.voucherLeft(ctx.log, voucherId, lease.because);
    return 'left';
  }
  const sending: Sending = { voucher: lease.voucher, asked: false };
  try {
    return await send(ctx, sending);
  } catch (error) {
    await giveBack(ctx, sending, messageOf(error));
    throw error;
  }
}

interface Sending {
  voucher: Voucher;
  /** The post may have reached Fortnox: from then on an error means unknown. */
  asked: boolean;
}

function takeVoucher(ctx: Context, voucherId: string): Promise<Lease | { taken: false; because: 'not there' }> {
  return ctx.db.runTransaction(async (tx) => {
    const voucher = await store.readVoucher(ctx.db, tx, voucherId);
    if (!voucher) return { taken: false, because: 'not there' };
    const lease = takeLease(voucher, ctx.clock.now());
    if (lease.taken) store.saveVoucher(ctx.db, tx, lease.voucher);
    return lease;
  });
}

async function send(ctx: Context, sending: Sending): Promise<PostOutcome> {
  const fortnox = await ctx.fortnox();
  const registers = await registersOf(fortnox, sending.voucher);
  if ('hold' in registers) return hold(ctx, sending.voucher, registers.hold);
  const { year } = registers;
  if (mustLookUp(sending.voucher)) {
    if (await lookUp(ctx, fortnox, sending.voucher, year)) return 'found';
    sending.voucher = withoutDoubt(sending.voucher);
  }
  const { voucher } = sending;
  const obstacle = await checkPostable(fortnox, voucher, registers, ctx.clock.now());
  if (obstacle) return holdOrRedate(ctx, sending, obstacle);
  if (!inTime(voucher, ctx.clock.now())) {
    throw new Error(
      `Voucher ${voucher.id} took too long to prepare; another worker may take it soon, so this one does not post it.`,
    );
  }
  return post(ctx, fortnox, sending, year);
}

/** True when the voucher is in Fortnox already; it is marked so. Throws when it is too early to say that it is not. */
async function lookUp(ctx: Context, fortnox: FortnoxClient, voucher: Voucher, year: FinancialYear): Promise<boolean> {
  const begun = ctx.clock.now();
  const { series, date, key } = voucher;
  const listed = await fortnox.findVouchers({ series, date, financialYearId: year.id });
  const found = listed.filter((one) => one.description.includes(key));
  const [first, ...more] = found;
  if (first) {
    await settle(ctx, voucher, { number: first.number, year, found: true });
    if (more.length > 0)
      await raiseFlag(ctx, twiceFlag(voucher, found.map((one) => `${series} ${one.number}`).join(', ')));
    return true;
  }
  if (mayPost(voucher, begun)) return false;
  throw new Error(
    `Voucher ${voucher.id} may have been posted moments ago and is not to be seen yet; it is looked for again.`,
  );
}

async function post(ctx: Context, fortnox: FortnoxClient, sending: Sending, year: FinancialYear): Promise<PostOutcome> {
  const { voucher } = sending;
  const { series, date, description, rows } = voucher;
  sending.asked = true;
  try {
    const { number } = await fortnox.createVoucher({ financialYearId: year.id, series, date, description, rows });
    await settle(ctx, voucher, { number, year, found: false });
    return 'posted';
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    sending.asked = false;
    if (refusal.kind === 'turned away') throw error;
    // What Fortnox refuses now it may have allowed when its registers were last read.
    forget(fortnox);
    if (refusal.code === PERIOD_LOCKED) {
      const flag = lockedFlag(voucher, refusal.words);
      const [lockedTo] = /\d{4}-\d{2}-\d{2}/.exec(refusal.words) ?? [];
      return holdOrRedate(ctx, sending, { flag, ...(lockedTo ? { lockedTo } : {}) });
    }
    return reject(ctx, voucher, refusal.words, refusal.code);
  }
}

type FortnoxRefusal = { kind: 'turned away' } | { kind: 'no'; words: string; code: number | undefined };

/** What is certain not to have been posted; undefined: it may have been. */
function refusalOf(error: unknown): FortnoxRefusal | undefined {
  if (!(error instanceof FortnoxError) || error.kind === 'unknown') return undefined;
  if (error.kind === 'rate_limited' || error.kind === 'unauthorized') return { kind: 'turned away' };
  return { kind: 'no', words: error.fortnoxMessage ?? error.message, code: error.code };
}

/** Where a voucher is in Fortnox; `found` there by its key, or answered to its post. */
interface Landed {
  number: number;
  year: FinancialYear;
  found: boolean;
}

const startOf = (year: FinancialYear): string => year.from.slice(0, 4);

const referenceOf = ({ series }: Voucher, { number, year }: Landed): FortnoxVoucherRef => ({
  number,
  financialYearId: year.id,
  reference: `${series} ${number} (${startOf(year)})`,
});

/**
 * Marks the voucher posted, its payout referenced and flags of what held it settled, in one commit. Posted is posted,
 * whoever holds the lease by now.
 */
async function settle(ctx: Context, voucher: Voucher, landed: Landed): Promise<void> {
  const where = referenceOf(voucher, landed);
  const done = posted(voucher, where, ctx.clock.now());
  await ctx.db.runTransaction(async (tx) => {
    const current = await store.readVoucher(ctx.db, tx, voucher.id);
    if (current?.state === 'posted') {
      if (current.fortnoxNumber === where.number) return;
      runWrites(
        tx,
        await planFlag(ctx, tx, twiceFlag(voucher, `${current.fortnoxReference ?? '?'} and ${where.reference}`)),
      );
      return;
    }
    const writes = [
      ...(await planReference(ctx, tx, voucher, where.reference)),
      ...(await planSettled(ctx, tx, voucher, landed)),
    ];
    store.saveVoucher(ctx.db, tx, done);
    runWrites(tx, writes);
  });
  logs.voucherPosted(ctx.log, done, landed.found);
}

/** What was held or refused was tried before: a first attempt has nothing to settle, and reads no flags. */
async function planSettled(ctx: Context, tx: Transaction, voucher: Voucher, { year }: Landed): Promise<Write[]> {
  if (voucher.attempts === 1) return [];
  const why = `Voucher ${voucher.id} is in Fortnox.`;
  const plans = await Promise.all(disprovedBy(voucher, startOf(year)).map((id) => planResolve(ctx, tx, id, why)));
  return plans.flat();
}

/** Payouts say where they are booked. */
async function planReference(ctx: Context, tx: Transaction, voucher: Voucher, reference: string): Promise<Write[]> {
  const plan = voucher.kind === 'platform_payout' ? planPlatformReference : planFortnoxReference;
  const plans = await Promise.all((voucher.payoutIds ?? []).map((id) => plan(ctx, tx, id, reference)));
  return plans.flat();
}

/**
 * A locked period holds the voucher, or, when LOCKED_PERIOD says so, moves it to the first open day: written down before it
 * is posted, so that whoever looks for it looks on the day it is posted to. Nothing is dated in the future.
 */
async function holdOrRedate(ctx: Context, sending: Sending, { flag, lockedTo }: Obstacle): Promise<PostOutcome> {
  const { voucher } = sending;
  const now = ctx.clock.now();
  const open = lockedTo === undefined ? undefined : addDays(lockedTo, 1);
  const mayMove = ctx.config.lockedPeriod === 'first_open_day' && open !== undefined && open > voucher.date;
  if (!mayMove || open > businessDate(now)) return hold(ctx, voucher, flag);
  sending.voucher = redated(voucher, open);
  await saveMine(ctx, voucher, () => sending.voucher);
  logs.voucherRedated(ctx.log, sending.voucher, voucher.date);
  return send(ctx, sending);
}

/** Something in Fortnox must change first; the voucher waits and goes on by itself. */
async function hold(ctx: Context, voucher: Voucher, flag: FlagInput): Promise<'held'> {
  await saveMine(ctx, voucher, (mine) => putBack(mine, flag.message, holdMs, ctx.clock.now()));
  await raiseFlag(ctx, flag);
  logs.voucherHeld(ctx.log, voucher, flag.id);
  return 'held';
}

async function reject(ctx: Context, voucher: Voucher, words: string, code: number | undefined): Promise<'rejected'> {
  const flag = rejectedFlag(voucher, words, code);
  await saveMine(ctx, voucher, (mine) => rejected(mine, words, code, ctx.clock.now()), flag);
  logs.voucherRejected(ctx.log, voucher, words);
  return 'rejected';
}

async function giveBack(ctx: Context, { voucher, asked }: Sending, error: string): Promise<void> {
  const now = ctx.clock.now();
  if (asked) logs.voucherUnclear(ctx.log, voucher, error);
  else logs.voucherPutBack(ctx.log, voucher, error);
  await saveMine(ctx, voucher, (mine) => (asked ? unclear(mine, error, now) : putBack(mine, error, putBackMs, now)));
}

/** Saves what became of a voucher, unless another worker holds it by now. A flag goes into the same commit. */
async function saveMine(
  ctx: Context,
  mine: Voucher,
  next: (mine: Voucher) => Voucher,
  flag?: FlagInput,
): Promise<void> {
  await ctx.db.runTransaction(async (tx) => {
    const current = await store.readVoucher(ctx.db, tx, mine.id);
    if (!current || !stillLeased(current, mine)) return;
    const writes = flag ? await planFlag(ctx, tx, flag) : [];
    store.saveVoucher(ctx.db, tx, next(mine));
    runWrites(tx, writes);
  });
}
