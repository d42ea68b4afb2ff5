import { Timestamp } from 'firebase-admin/firestore';
import { raiseFlag } from '../admin/flags.service.ts';
import type { Context } from '../platform/context.ts';
import { messageOf } from '../platform/errors.ts';
import { zero } from '../platform/money.ts';
import { classifyStripeError } from '../platform/stripe.ts';
import { ledgerTotal, proveAccount, proveRange, type Owner } from './account.service.ts';
import { endIfComplete } from './end.service.ts';
import { TooLong } from './patience.ts';
import { unverifiableFlag } from './reconciliation-flags.ts';
import * as logs from './reconciliation.logs.ts';
import { listLimit, platformAccount, type AccountProof } from './reconciliation.ts';
import { isNight, partState, type AccountPart, type PartTask, type Run } from './run.ts';
import * as store from './run.store.ts';

/**
 * A task: proves one account and, when it was the last one, ends the proof. Delivered again it changes nothing. Throws
 * when Stripe cannot be read, so that the queue tries again; the `last` time it says so in the proof, which tells a person.
 */
export async function reconcileAccount(ctx: Context, { run, account }: PartTask, last: boolean): Promise<void> {
  const document = await store.readRun(ctx.db, run);
  if (!document || document.state === 'done') return;
  const part = await store.readPart(ctx.db, run, account);
  if (part?.state === 'queued') await store.answerPart(ctx.db, run, await proved(ctx, run, document, part, last));
  await endIfComplete(ctx, run);
}

async function proved(
  ctx: Context,
  run: string,
  document: Run,
  part: AccountPart,
  last: boolean,
): Promise<AccountPart> {
  const owner = ownerOf(part);
  const before = await provenBefore(ctx, document, part.account);
  const leave = (state: 'unverifiable' | 'unchecked', why: string) =>
    leaveUnseen(ctx, document, owner, before, { state, error: why });
  if (part.disconnected) {
    return answered(ctx, part, await cannotSee(ctx, run, owner, 'The coach has disconnected the account.', leave));
  }
  try {
    const cut = document.cut.toDate();
    const proofs = isNight(document)
      ? await proveAccount(ctx, owner, cut, before)
      : await proveRange(ctx, owner, document.fromCut.toDate(), cut);
    return answered(ctx, part, proofs);
  } catch (error) {
    const failure = classifyStripeError(error);
    const gone = failure.kind === 'refused' && (failure.status === 403 || failure.code === 'account_invalid');
    if (gone && 'coachId' in owner)
      return answered(ctx, part, await cannotSee(ctx, run, owner, failure.message, leave));
    // It would take as long again.
    if (!last && !(error instanceof TooLong)) throw error;
    return answered(ctx, part, await leave('unchecked', messageOf(error)));
  }
}

const ownerOf = ({ account, coachId }: AccountPart): Owner =>
  coachId === undefined ? { account: platformAccount } : { account, coachId };

async function provenBefore(ctx: Context, document: Run, account: string): Promise<AccountProof[]> {
  if (!isNight(document) || document.before === null) return [];
  return (await store.readPart(ctx.db, store.nightPath(document.before), account))?.proofs ?? [];
}

async function cannotSee(
  ctx: Context,
  run: string,
  owner: Owner,
  why: string,
  leave: (state: 'unverifiable', why: string) => Promise<AccountProof[]>,
): Promise<AccountProof[]> {
  const proofs = await leave('unverifiable', why);
  await raiseFlag(ctx, unverifiableFlag(owner.account, run, why));
  return proofs;
}

/** An account that could not be looked at keeps what was proven of it before. */
async function leaveUnseen(
  ctx: Context,
  document: Run,
  owner: Owner,
  before: readonly AccountProof[],
  left: { state: 'unverifiable' | 'unchecked'; error: string },
): Promise<AccountProof[]> {
  logs.accountUnread(ctx.log, owner.account, left.state, left.error);
  const currencies = new Set([ctx.config.currency, ...before.map((one) => one.currency)]);
  const proofs = [...currencies].map(async (currency): Promise<AccountProof> => {
    return {
      account: owner.account,
      ...('coachId' in owner ? { coachId: owner.coachId } : {}),
      currency,
      ledgerMinor: await ledgerTotal(ctx, owner, document.cut.toDate(), currency),
      transactionsMinor: zero,
      stripeMinor: zero,
      balanceMinor: zero,
      afterCutMinor: zero,
      transactions: 0,
      closed: before.find((one) => one.currency === currency)?.closed ?? null,
      differences: [],
      ...left,
    };
  });
  return Promise.all(proofs);
}

function answered(ctx: Context, part: AccountPart, proofs: readonly AccountProof[]): AccountPart {
  const { disconnected: _, ...rest } = part;
  const connected = Object.fromEntries(proofs.map(({ currency, ledgerMinor }) => [currency, ledgerMinor]));
  return {
    ...rest,
    state: partState(proofs),
    proofs: proofs.map((proof) => ({ ...proof, differences: proof.differences.slice(0, listLimit) })),
    ...(part.coachId === undefined ? {} : { connectedMinor: connected }),
    updatedAt: Timestamp.fromDate(ctx.clock.now()),
  };
}
