import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planFlag, planResolve } from '../../admin/flags.service.ts';
import type { Context } from '../../platform/context.ts';
import { planLetter, type Letter } from '../../platform/mail.ts';
import { runWrites, type Write } from '../../platform/write.ts';
import type { Payment } from '../payments.ts';
import { disputeFlagId, needsAnswer, reminder } from './dispute-flags.ts';
import * as logs from './disputes.logs.ts';
import * as store from './disputes.store.ts';
import { isAppealOver, mergeDispute, needsResponse, type Dispute, type DisputeFacts } from './disputes.ts';
import { lostLetter, openedLetter, wonLetter } from './letters.ts';

const remindLimit = 100;

/**
 * Plans what the disputes of a payment leave for people: their documents, the flag of one that wants an answer, letters
 * to the coach. The money is booked by the caller. A tenant's own dispute (charge model `direct`) is mirrored, no more:
 * Stripe tells the tenant.
 */
export async function planDisputeMirror(
  ctx: Context,
  tx: Transaction,
  payment: Payment,
  facts: readonly DisputeFacts[],
): Promise<Write[]> {
  const planned = await Promise.all(facts.map((dispute) => planOne(ctx, tx, payment, dispute)));
  return planned.flat();
}

async function planOne(ctx: Context, tx: Transaction, payment: Payment, facts: DisputeFacts): Promise<Write[]> {
  const { id } = facts;
  const known = await store.readDispute(ctx.db, tx, id);
  const at = Timestamp.fromDate(ctx.clock.now());
  const dispute = mergeDispute(known, payment, facts, at);
  if (!dispute) return known && isAppealOver(known, facts, at) ? planAppealOver(ctx, tx, id) : [];
  const writes: Write[] = [
    (t) => {
      store.writeDispute(ctx.db, t, id, dispute);
      logs.disputeMoved(ctx.log, id, dispute);
    },
  ];
  if (payment.chargeModel === 'direct') return writes;
  const letter = letterOf(ctx, payment, known, dispute);
  if (letter) writes.push(planLetter(ctx.db, `dispute-${dispute.stage}_${id}`, letter));
  return [...writes, ...(await planAttention(ctx, tx, id, known, dispute))];
}

/** The flag stands while an answer is wanted. A person who closes it before is asked again only when something new is. */
async function planAttention(
  ctx: Context,
  tx: Transaction,
  id: string,
  known: Dispute | undefined,
  dispute: Dispute,
): Promise<Write[]> {
  if (dispute.status === known?.status) return [];
  if (needsResponse(dispute.status)) return planFlag(ctx, tx, needsAnswer(id, dispute));
  const sent = dispute.evidenceSubmitted ? 'Evidence was submitted. ' : '';
  return planResolve(ctx, tx, disputeFlagId(id), `${sent}Stripe's status is ${dispute.status}.`);
}

const planAppealOver = (ctx: Context, tx: Transaction, id: string): Promise<Write[]> =>
  planResolve(ctx, tx, disputeFlagId(id), 'The appeal had no answer in time: the dispute stays lost.');

/** What the coach hears of a change. Nothing of inquiries and appeals, which move none of their money. */
function letterOf(
  ctx: Context,
  { coachId, description }: Payment,
  known: Dispute | undefined,
  dispute: Dispute,
): Letter | undefined {
  if (!coachId || dispute.stage === known?.stage) return undefined;
  if (dispute.stage === 'open') return openedLetter(coachId, dispute, description);
  if (dispute.stage === 'won' && known) return wonLetter(coachId, dispute, description);
  if (dispute.stage === 'lost') return lostLetter(coachId, dispute, description, ctx.config.disputeLoss === 'coach');
  return undefined;
}

/** For the sweep: reminds of disputes that still want an answer shortly before their deadline. */
export async function remindOfDisputes(ctx: Context, now: Date): Promise<{ reminded: number }> {
  const due = await store.dueForReminder(ctx.db, now, remindLimit);
  for (const id of due) await remind(ctx, id);
  return { reminded: due.length };
}

async function remind(ctx: Context, id: string): Promise<void> {
  await ctx.db.runTransaction(async (tx) => {
    const dispute = await store.readDispute(ctx.db, tx, id);
    if (!dispute?.remindAt) return;
    const { remindAt: _done, ...rest } = dispute;
    const writes = needsResponse(rest.status) ? await planFlag(ctx, tx, reminder(id, rest)) : [];
    store.writeDispute(ctx.db, tx, id, rest);
    runWrites(tx, writes);
  });
}
