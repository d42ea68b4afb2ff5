import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planAudit } from '../../admin/audit.service.ts';
import { planResolve } from '../../admin/flags.service.ts';
import { coachByAccount } from '../../coaches/coaches.service.ts';
import { planEarning } from '../../coaches/earnings.service.ts';
import { explainingIn, planNewEntries } from '../../ledger/ledger.service.ts';
import type { LedgerEntry } from '../../ledger/ledger.ts';
import { ownEntries, type Meaning } from '../../ledger/own.ts';
import type { Caller } from '../../platform/auth.ts';
import { runCommand } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { minor, toMajor, zero, type Currency, type Minor } from '../../platform/money.ts';
import { classifyStripeError } from '../../platform/stripe.ts';
import { runWrites, type Write } from '../../platform/write.ts';
import { what } from '../vouchers.ts';
import { movementFlagId } from './own-flags.ts';
import {
  bookingOf,
  movementOf,
  movesBalance,
  namesOf,
  treatmentOf,
  type OwnerOfBalance,
  type StripeMovement,
} from './stripe-own.ts';

export interface ExplainInput {
  balanceTransactionId: string;
  /** Left out: it is on the platform's own balance. */
  stripeAccountId?: string | undefined;
  as: Meaning;
  reason: string;
  requestId: string;
}

export interface ExplainReply {
  balanceTransactionId: string;
  as: Meaning;
  ledgerIds: string[];
  /** What the balance got, Stripe's fee on it taken off; negative: what left it. */
  amount: number;
  amountMinor: Minor;
  currency: Currency;
}

/**
 * An administrator says what a movement of Stripe's is that nothing explains: it is booked with Stripe's own amounts, once,
 * and its flag closes. Throws Refusal.
 */
export function explainTransaction(
  ctx: Context,
  { uid }: Caller,
  { requestId, ...input }: ExplainInput,
): Promise<ExplainReply> {
  let movement: StripeMovement | undefined;
  return runCommand<ExplainReply, ExplainReply>(ctx, {
    command: 'explainTransaction',
    uid,
    requestId,
    input,
    plan: async (tx) => {
      const owner = await ownerOf(ctx, tx, input.stripeAccountId);
      requireOneOf(input.as, owner);
      // Stripe does not change what it booked: read once, however often the transaction is tried.
      movement ??= await fetchMovement(ctx, input);
      return planExplained(ctx, tx, { ...input, by: uid, requestId }, owner, movement);
    },
  });
}

async function ownerOf(ctx: Context, tx: Transaction, stripeAccountId: string | undefined): Promise<OwnerOfBalance> {
  if (stripeAccountId === undefined) return undefined;
  const found = await coachByAccount(ctx, stripeAccountId, tx);
  if (!found) throw new Refusal('not-found', 'account-not-found', `No coach has the account ${stripeAccountId}.`);
  return { coachId: found.coachId, stripeAccountId };
}

function requireOneOf(as: Meaning, owner: OwnerOfBalance): void {
  if (as === 'coach' && !owner) {
    const words = "The platform's own balance is no coach's. Name the coach's stripeAccountId, or book it as another.";
    throw new Refusal('invalid-argument', 'not-a-coachs', words);
  }
  if (as === 'topup' && owner) {
    const words = "The platform's bank fills the platform's own balance only. Book it as 'coach' or 'loss'.";
    throw new Refusal('invalid-argument', 'not-the-platforms', words);
  }
}

async function fetchMovement(
  ctx: Context,
  { balanceTransactionId: id, stripeAccountId }: Pick<ExplainInput, 'balanceTransactionId' | 'stripeAccountId'>,
): Promise<StripeMovement> {
  const stripe = await ctx.stripe();
  const where = stripeAccountId ?? 'the platform';
  try {
    const found = await stripe.balanceTransactions.retrieve(
      id,
      {},
      stripeAccountId ? { stripeAccount: stripeAccountId } : {},
    );
    if (movesBalance(found)) return movementOf(found);
  } catch (error) {
    const { kind } = classifyStripeError(error);
    if (kind !== 'refused') {
      throw new Refusal('unavailable', 'stripe-unavailable', 'Stripe did not answer in time. Try again in a moment.');
    }
    throw new Refusal('not-found', 'transaction-not-found', `Stripe shows no ${id} on the balance of ${where}.`);
  }
  throw new Refusal(
    'failed-precondition',
    'other-balance',
    `${id} moved another balance than the one that is paid out: it is in no books.`,
  );
}

interface Explanation extends ExplainInput {
  by: string;
}

/** Reads, decides and writes in the transaction that accepts the command. */
async function planExplained(
  ctx: Context,
  tx: Transaction,
  { by, requestId, as, reason }: Explanation,
  owner: OwnerOfBalance,
  movement: StripeMovement,
): Promise<ExplainReply> {
  const { id, currency, amountMinor, feeMinor } = movement;
  if (treatmentOf(movement, owner !== undefined) === 'events') {
    const words = `${id} (${movement.type}) is booked by Stripe's events. Look for events that are parked or failed; the sweep applies them.`;
    throw new Refusal('failed-precondition', 'booked-by-events', words);
  }
  const [claimed] = await explainingIn(ctx.db, tx, namesOf(movement));
  if (claimed) {
    const words = `${id} is in the books already: ledger/${claimed.id}.`;
    throw new Refusal('failed-precondition', 'already-explained', words, { ledgerId: claimed.id });
  }
  const entries = ownEntries(as, bookingOf(movement, owner));
  if (entries.length === 0) {
    throw new Refusal('failed-precondition', 'nothing-moved', `${id} moved no money: there is nothing to book.`);
  }
  const net = minor(amountMinor - feeMinor);
  const ledgerIds = entries.map((entry) => entry.id);
  const after = { as, type: movement.type, amountMinor: net, currency, ledgerIds };
  runWrites(tx, [
    ...(await planResolve(ctx, tx, movementFlagId(id), `Booked as ${as}: ${reason}`)),
    ...(as === 'coach' ? await planCoachs(ctx, tx, entries, movement) : []),
    ...planNewEntries(ctx, entries),
    planAudit(ctx, `explainTransaction_${by}_${requestId}`, {
      by,
      action: 'explainTransaction',
      subject: `ledger/${ledgerIds[0]}`,
      after,
      note: reason,
    }),
  ]);
  return { balanceTransactionId: id, as, ledgerIds, amount: toMajor(net, currency), amountMinor: net, currency };
}

/** The coach sees it, and payouts pay it or take it off, as an earning of its own that is no sale. */
async function planCoachs(
  ctx: Context,
  tx: Transaction,
  entries: readonly LedgerEntry[],
  { id, description, availableMs }: StripeMovement,
): Promise<Write[]> {
  const planned = entries.map(({ id: ledgerId, coachId, currency, deltas }) => {
    if (coachId === undefined) throw new Error(`ledger/${ledgerId} is a coach's, and names none.`);
    return planEarning(ctx, tx, coachId, {
      paymentId: id,
      amountMinor: deltas.stripe_connected,
      feeMinor: zero,
      currency,
      description: description ?? what.adjustment,
      customerName: 'Stripe',
      ledgerId,
      availableOn: Timestamp.fromMillis(availableMs),
    });
  });
  return (await Promise.all(planned)).flat();
}
