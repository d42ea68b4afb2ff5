import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planApproval } from '../admin/approvals.service.ts';
import type { AwaitingApproval } from '../admin/approvals.ts';
import { planAudit } from '../admin/audit.service.ts';
import type { ApprovedAction } from '../admin/decisions.service.ts';
import { coachBalance } from '../ledger/ledger.service.ts';
import { runCommand } from '../platform/commands.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { planLetter } from '../platform/mail.ts';
import { runWrites, type Write } from '../platform/write.ts';
import { newCoach, type Coach, type PayoutSettings } from './coaches.ts';
import * as logs from './coaches.logs.ts';
import * as store from './coaches.store.ts';
import { termsLetter } from './letters.ts';
import { changedSettings, pointsMoved, withTerms, type SettingsChange, type TermsChange } from './settings.ts';
import { feeWarning, type Terms } from './terms.ts';

export interface TermsInput extends TermsChange {
  coachId: string;
  requestId: string;
  /** Why; for the audit log. */
  note: string;
}

export type TermsReply =
  | AwaitingApproval
  | {
      status: 'done';
      coachId: string;
      terms: Terms;
      payoutSettings: PayoutSettings;
      holdReason: string | null;
      /** In words, when the fee of a usual sale is less than Stripe takes of it. */
      feeWarning: string | null;
    };

const setTermsCommand = 'setCoachTerms';

/**
 * An administrator's change of a coach's terms, in force for payments made from now on. A change of the fee above the
 * limit waits for a second administrator. Throws Refusal.
 */
export function setCoachTerms(ctx: Context, by: string, input: TermsInput): Promise<TermsReply> {
  return runCommand<TermsReply, TermsReply>(ctx, {
    command: setTermsCommand,
    uid: by,
    requestId: input.requestId,
    input,
    plan: (tx) => planTerms(ctx, tx, { by, input, approved: false }),
  });
}

/** The same once a second administrator has confirmed it; the coach is looked at anew. */
export const approvedTerms: ApprovedAction = (ctx, { approvalId, by, approvedBy, input: asked }) => {
  const input: TermsInput = { ...(asked as TermsInput), requestId: approvalId };
  return runCommand<TermsReply, TermsReply>(ctx, {
    command: setTermsCommand,
    uid: by,
    requestId: approvalId,
    input,
    plan: (tx) => planTerms(ctx, tx, { by, approvedBy, input, approved: true }),
  });
};

interface TermsOrder {
  by: string;
  approvedBy?: string;
  input: TermsInput;
  approved: boolean;
}

/** Reads, decides and writes in the transaction that accepts the command: terms, who decided them, the letter. */
async function planTerms(ctx: Context, tx: Transaction, order: TermsOrder): Promise<TermsReply> {
  const { coachId, requestId, note, ...change } = order.input;
  requireSome(change);
  const at = Timestamp.fromDate(ctx.clock.now());
  const known = (await store.readVersioned(ctx.db, coachId, tx))?.coach;
  const before = known ?? newCoach(ctx.config, at);
  const { payable, receivable } = await coachBalance(ctx.db, tx, coachId, before.currency);
  const { platformName, platformAddress } = ctx.config;
  const facts = {
    settled: payable === 0 && receivable === 0,
    platformKnown: platformName !== '' && platformAddress !== '',
  };
  const next = withTerms(before, change, facts, at);
  if (!order.approved && pointsMoved(before.terms, next.terms, before.currency) > ctx.config.termsApprovalPercent) {
    const request = { action: setTermsCommand, by: order.by, input: order.input, reason: note, about: [coachId] };
    const { reply, write } = planApproval(ctx, requestId, request);
    runWrites(tx, [write]);
    return reply;
  }
  const save: Write = (t) =>
    known ? store.writeCoach(ctx.db, t, coachId, next) : store.createCoach(ctx.db, t, coachId, next);
  runWrites(tx, [save, ...planRecord(ctx, order, before, next)]);
  logs.termsSet(ctx.log, coachId, order.by);
  return replyOf(ctx, coachId, next);
}

function planRecord(ctx: Context, { by, approvedBy, input }: TermsOrder, before: Coach, next: Coach): Write[] {
  const { coachId, requestId, note } = input;
  const id = `${setTermsCommand}_${by}_${requestId}`;
  return [
    planAudit(ctx, id, {
      by,
      action: setTermsCommand,
      subject: `coaches/${coachId}`,
      before: decided(before),
      after: { ...decided(next), ...(approvedBy ? { approvedBy } : {}) },
      note,
    }),
    planLetter(ctx.db, id, termsLetter(coachId, next)),
  ];
}

/** What an administrator decides of a coach. */
const decided = ({ terms, payoutSettings, hold, vatNumber, invoiceDetails }: Coach) => ({
  terms,
  cadence: payoutSettings.cadence,
  holdReason: hold?.reason ?? null,
  vatNumber: vatNumber ?? null,
  invoiceDetails: invoiceDetails ?? null,
});

const replyOf = (ctx: Context, coachId: string, coach: Coach): TermsReply => ({
  status: 'done',
  coachId,
  terms: coach.terms,
  payoutSettings: coach.payoutSettings,
  holdReason: coach.hold?.reason ?? null,
  feeWarning: feeWarning(coach.terms, coach.currency, ctx.config) ?? null,
});

function requireSome(change: object): void {
  if (Object.values(change).some((value) => value !== undefined)) return;
  throw new Refusal('invalid-argument', 'nothing-to-change', 'Name at least one thing to change.');
}

export interface SettingsInput extends SettingsChange {
  requestId: string;
}

const settingsCommand = 'updatePayoutSettings';

/** A coach's own choice of when and from which amount on they are paid. Throws Refusal. */
export function updatePayoutSettings(
  ctx: Context,
  coachId: string,
  input: SettingsInput,
): Promise<{ payoutSettings: PayoutSettings }> {
  return runCommand<{ payoutSettings: PayoutSettings }, { payoutSettings: PayoutSettings }>(ctx, {
    command: settingsCommand,
    uid: coachId,
    requestId: input.requestId,
    input,
    plan: (tx) => planSettings(ctx, tx, coachId, input),
  });
}

async function planSettings(
  ctx: Context,
  tx: Transaction,
  coachId: string,
  { requestId, ...change }: SettingsInput,
): Promise<{ payoutSettings: PayoutSettings }> {
  requireSome(change);
  const coach = (await store.readVersioned(ctx.db, coachId, tx))?.coach;
  if (!coach) {
    throw new Refusal('failed-precondition', 'onboarding-unfinished', 'Start onboarding with Stripe first.');
  }
  const payoutSettings = changedSettings(coach.payoutSettings, change, coach.currency);
  const updatedAt = Timestamp.fromDate(ctx.clock.now());
  runWrites(tx, [
    (t) => store.writeCoach(ctx.db, t, coachId, { ...coach, payoutSettings, updatedAt }),
    planAudit(ctx, `${settingsCommand}_${coachId}_${requestId}`, {
      by: coachId,
      action: settingsCommand,
      subject: `coaches/${coachId}`,
      before: coach.payoutSettings,
      after: payoutSettings,
    }),
  ]);
  return { payoutSettings };
}
