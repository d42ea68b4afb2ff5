import { Timestamp } from 'firebase-admin/firestore';
import { stripeFee, type LedgerDocument, type LedgerEntry } from '../../ledger/ledger.ts';
import {
  disputeLost,
  disputeReinstated,
  disputeWithdrawn,
  feeRefund,
  refund,
  refundFailed,
  transferReversal,
  type KeptShare,
  type ReturnBooking,
} from '../../ledger/returns.ts';
import { fromStripeCurrency, minor, negate, zero, type Minor } from '../../platform/money.ts';
import type { Payment } from '../payments.ts';
import { statusAfter } from '../payments.ts';
import type { AftermathBooked, AftermathFacts, DisputeFound, Movement, RefundFound } from './aftermath.ts';
import { isHeld, lostMinor } from '../disputes/disputes.ts';
import { bear, keepable, incomeSoFar, oweAgain, standingOf, type Standing } from './bearing.ts';
import { disputedMinor, noAftermath, refundedMinor, remember } from './memory.ts';

export interface BookingInput {
  payment: Payment;
  /** The sale's ledger document: what was shared, as Stripe booked it. */
  sale: LedgerDocument;
  facts: AftermathFacts;
  /** Ledger ids of these facts that are booked already. */
  booked: ReadonlySet<string>;
  /** When a dispute's decision was heard of; Stripe does not keep its time. */
  decidedAt: Timestamp;
  /** Of refunds that cancel a session late: what stays, by Stripe's refund id. */
  kept: ReadonlyMap<string, KeptShare>;
  sourceEventId: string | undefined;
}

/**
 * Everything of the facts that is not booked yet, and what it makes of the payment. Pure; running it again on what it
 * has booked gives nothing more.
 */
export function bookAftermath(input: BookingInput): AftermathBooked {
  const { payment, facts } = input;
  const ledger = new Booking(input);
  for (const { found, movement, comesBack } of refundMoves(facts.refunds)) {
    if (comesBack) ledger.refundFailed(found, movement);
    else ledger.refund(found, movement);
  }
  for (const found of byTime(facts.reversals, (each) => each.there.created)) ledger.reversal(found);
  for (const found of byTime(facts.feeRefunds, (each) => each.there.created)) ledger.feeRefund(found);
  for (const found of byTime(facts.disputes, (each) => each.createdMs)) ledger.disputeMovements(found);
  const known = payment.aftermath ?? noAftermath;
  const aftermath = remember(known, facts.refunds, facts.disputes);
  for (const { id } of byTime(facts.disputes, (each) => each.createdMs)) {
    const dispute = aftermath.disputes[id];
    if (!dispute) continue;
    const change = minor(lostMinor(dispute) - dispute.lostMinor);
    if (change === 0) continue;
    const decisions = dispute.decisions + 1;
    // A tenant's loss was booked when the money was withdrawn from them; that it is lost ends what it paid for.
    if (payment.chargeModel !== 'direct') ledger.loss(id, change, decisions);
    aftermath.disputes[id] = { ...dispute, lostMinor: lostMinor(dispute), decisions };
  }
  const patch: Partial<Payment> = {
    aftermath,
    refundedMinor: refundedMinor(aftermath),
    disputedMinor: disputedMinor(aftermath),
    returned: ledger.standing.returned,
    ...(ledger.standing.held ? { held: ledger.standing.held } : {}),
    ...refundWords(payment, facts.refunds),
  };
  return {
    entries: ledger.entries,
    kept: ledger.kept,
    patch: { ...patch, status: statusAfter({ ...payment, ...patch }) },
    returnedShareMinor: minor(ledger.returnedShare),
    held: Object.values(aftermath.disputes).some(isHeld),
  };
}

/**
 * Where a refund that shares what is kept is not booked yet: the facts up to it, to be booked by themselves. What comes after
 * it is borne by those whom it is shared with, when their earning and their transfer are there.
 */
export function upToShared(
  facts: AftermathFacts,
  kept: ReadonlyMap<string, KeptShare>,
  booked: ReadonlyMap<string, unknown>,
): AftermathFacts | undefined {
  const sharing = facts.refunds.find(({ id, taken }) => taken && kept.has(id) && !booked.has(`${id}:refund`));
  const at = sharing?.taken?.created;
  if (at === undefined) return undefined;
  const refunds = facts.refunds.filter((each) => each === sharing || (each.taken && each.taken.created < at));
  return { ...facts, refunds, reversals: [], feeRefunds: [], disputes: [] };
}

/** Collects the documents of one step. */
class Booking {
  readonly entries: LedgerEntry[] = [];
  readonly kept = new Map<string, KeptShare>();
  standing: Standing;
  returnedShare = 0;
  readonly #input: BookingInput;
  readonly #tenant: boolean;
  /** What of a tenant's fee was not given back yet. */
  #feeLeft: Minor;

  constructor(input: BookingInput) {
    this.#input = input;
    this.#tenant = input.payment.chargeModel === 'direct';
    this.#feeLeft = input.sale.parts.feeMinor;
    this.standing = standingOf(input.payment, input.sale);
  }

  refund({ id }: RefundFound, taken: Movement): void {
    if (!this.#isNew(`${id}:refund`)) return;
    const booking = this.#incomeBack(this.#booking(id, taken));
    const kept = this.#keptOf(id, booking.amountMinor);
    const { bearing, standing } = bear(this.standing, booking.amountMinor, kept);
    this.entries.push(refund(booking, bearing, kept));
    this.returnedShare += this.#tenant ? booking.amountMinor : bearing.coachMinor;
    if (!this.#tenant) this.standing = standing;
  }

  #keptOf(refundId: string, amountMinor: Minor): KeptShare | undefined {
    const asked = this.#input.kept.get(refundId);
    const kept = asked && keepable(this.standing, amountMinor, asked);
    if (kept) this.kept.set(refundId, kept);
    return kept;
  }

  refundFailed({ id }: RefundFound, failed: Movement): void {
    if (!this.#isNew(`${id}:refund_failed`)) return;
    const booking = this.#booking(id, failed);
    this.entries.push(refundFailed(booking));
    if (this.#tenant) this.returnedShare -= booking.amountMinor;
    else this.standing = oweAgain(this.standing, booking.amountMinor);
  }

  reversal({ id, there, here, stripeAccountId }: AftermathFacts['reversals'][number]): void {
    if (!this.#isNew(`${id}:transfer_reversal`)) return;
    this.entries.push(transferReversal({ ...this.#booking(id, there, here?.id), stripeAccountId }));
  }

  feeRefund({ id, there, hereId, stripeAccountId }: AftermathFacts['feeRefunds'][number]): void {
    const before = { grossMinor: this.#feeLeft, coachMinor: zero };
    this.#feeLeft = minor(this.#feeLeft - Math.abs(there.amountMinor));
    if (!this.#isNew(`${id}:fee_refund`)) return;
    const vat = this.#tenant ? { vat: { before } } : {};
    const booking = { ...this.#booking(id, there, hereId ?? undefined), stripeAccountId, ...vat };
    this.entries.push(feeRefund(booking));
    if (this.#tenant) this.returnedShare -= booking.amountMinor;
  }

  disputeMovements(found: DisputeFound): void {
    for (const movement of byTime(found.movements, (each) => each.created)) {
      const back = movement.amountMinor > 0;
      if (
        movement.amountMinor !== 0 &&
        this.#isNew(`${movement.id}:${back ? 'dispute_reinstated' : 'dispute_withdrawn'}`)
      ) {
        const booking = this.#booking(found.id, movement);
        this.entries.push((back ? disputeReinstated : disputeWithdrawn)(booking, movement.id));
        if (this.#tenant) this.returnedShare += back ? negate(booking.amountMinor) : booking.amountMinor;
      }
      this.#fee(movement, movement.feeMinor);
    }
    for (const movement of found.platformFees) this.#fee(movement, -movement.amountMinor);
  }

  /** A dispute is lost by so much more, or (negative) less. */
  loss(disputeId: string, change: Minor, step: number): void {
    const { bearing, standing } = bear(this.standing, change);
    const { payment, sale, decidedAt, facts } = this.#input;
    const movement = {
      id: '',
      created: Math.floor(decidedAt.toMillis() / 1000),
      amountMinor: change,
      feeMinor: 0,
      currency: facts.disputes.find(({ id }) => id === disputeId)?.movements[0]?.currency ?? sale.currency,
    };
    const lost = { ...this.#booking(disputeId, movement), amountMinor: change, balanceTransactionIds: [] };
    const booking = this.#incomeBack(lost);
    this.entries.push(disputeLost(booking, bearing, step));
    this.standing = standing;
    if (payment.coachId) this.returnedShare += bearing.coachMinor;
  }

  /** Stripe's fee for a dispute; given back when it is negative. Of a tenant's dispute that the tenant pays, none of ours. */
  #fee(movement: Movement, feeMinor: number): void {
    const ours = !this.#tenant || movement.amountMinor === -feeMinor;
    if (!ours || feeMinor === 0 || !this.#isNew(`${movement.id}:fee`)) return;
    const { payment, sourceEventId } = this.#input;
    const entry = stripeFee({
      balanceTransactionId: movement.id,
      occurredAt: at(movement),
      currency: fromStripeCurrency(movement.currency),
      feeMinor: minor(feeMinor),
      paymentId: payment.stripePaymentId,
      ...(sourceEventId ? { sourceEventId } : {}),
    });
    if (entry) this.entries.push(entry);
  }

  /** With what VAT is worked out by when income goes back. */
  #incomeBack(booking: ReturnBooking): ReturnBooking {
    if (this.#tenant) return booking;
    const { vatLines, coachVat } = this.#input.sale.parts;
    const sold = { ...(vatLines ? { vatLines } : {}), ...(coachVat ? { coachVat } : {}) };
    return { ...booking, vat: { ...sold, before: incomeSoFar(this.standing) } };
  }

  #isNew(id: string): boolean {
    return !this.#input.booked.has(id);
  }

  #booking(stripeObjectId: string, movement: Movement, hereId?: string): ReturnBooking {
    const { payment, sale, sourceEventId } = this.#input;
    const tenantAccount = this.#tenant ? payment.stripeAccountId : undefined;
    return {
      paymentId: payment.stripePaymentId,
      occurredAt: at(movement),
      currency: fromStripeCurrency(movement.currency),
      amountMinor: minor(Math.abs(movement.amountMinor)),
      vatRate: sale.parts.vatRate,
      stripeObjectId,
      balanceTransactionIds: hereId && hereId !== movement.id ? [movement.id, hereId] : [movement.id],
      ...(payment.coachId ? { coachId: payment.coachId } : {}),
      ...(tenantAccount ? { tenant: true as const, stripeAccountId: tenantAccount } : {}),
      ...(sourceEventId ? { sourceEventId } : {}),
    };
  }
}

const at = ({ created }: Movement): Timestamp => Timestamp.fromMillis(created * 1000);

function byTime<T extends { id: string }>(found: readonly T[], time: (each: T) => number): T[] {
  return [...found].sort((a, b) => time(a) - time(b) || (a.id < b.id ? -1 : 1));
}

interface RefundMove {
  found: RefundFound;
  movement: Movement;
  comesBack: boolean;
}

/**
 * What refunds moved, in the order in which Stripe moved it: a refund made before another came back does not pay what is
 * owed for that one, however late both are heard of.
 */
function refundMoves(refunds: readonly RefundFound[]): RefundMove[] {
  const moves = byTime(refunds, (each) => each.createdMs).flatMap((found) => [
    ...(found.taken ? [{ found, movement: found.taken, comesBack: false }] : []),
    ...(found.failed ? [{ found, movement: found.failed, comesBack: true }] : []),
  ]);
  return moves.sort((a, b) => a.movement.created - b.movement.created || withinSecond(a) - withinSecond(b));
}

/** Money that comes back pays a refund that waited for it in the same second; nothing comes back before it went. */
function withinSecond({ found, comesBack }: RefundMove): number {
  if (comesBack) return 1;
  return found.failed !== null && found.failed.created === found.taken?.created ? 0 : 2;
}

/** The newest refund's reason and time, for people. */
function refundWords(payment: Payment, refunds: readonly RefundFound[]): Partial<Payment> {
  const newest = byTime(refunds, (each) => each.createdMs).at(-1);
  if (!newest || (payment.refundedAt?.toMillis() ?? 0) > newest.createdMs) return {};
  const reason = newest.metadata.reason ?? newest.reason;
  return { refundedAt: Timestamp.fromMillis(newest.createdMs), ...(reason ? { refundReason: reason } : {}) };
}
