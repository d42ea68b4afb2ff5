import { Timestamp, type DocumentSnapshot, type Transaction } from 'firebase-admin/firestore';
import type { Caller } from '../../platform/auth.ts';
import { days } from '../../platform/clock.ts';
import { runCommand } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { messageOf, Refusal } from '../../platform/errors.ts';
import { runWrites, type Write } from '../../platform/write.ts';
import { planAudit } from '../audit.service.ts';
import { planResolve, raiseFlagOnce } from '../flags.service.ts';
import { eraseAtStripe } from './at-stripe.service.ts';
import { afterStep, atStripe, begun, begunAgain, withPage, type Erasure, type Tally } from './erasure.ts';
import { refuseOpenMoney } from './open-money.service.ts';
import { erasureWaits, waitsFlagId } from './privacy-flags.ts';
import * as logs from './privacy.logs.ts';
import * as store from './privacy.store.ts';
import { requestOf, steps, type Change, type Fate, type Person, type Step } from './steps.ts';

export interface EraseInput {
  uid: string;
  /** Who asked for it and how; for the audit log. */
  note: string;
  requestId: string;
}

export interface EraseReply {
  uid: string;
  /** `erasing`: the sweep goes on with it; `kept`: done but for what the law wants kept. */
  state: Erasure['state'];
  tallies: Record<string, Tally>;
  kept: Record<string, { count: number; law: string; until: string }>;
  /** When the first of what is kept is erased, by the sweep. */
  eraseAfter: string | null;
}

export const erasePersonCommand = 'erasePerson';

/** Documents a transaction works on; fewer where more lies below each. */
const perPage = 20;
const perPageBelow = 5;
const notesPerSession = 100;
const auditsPerDocument = 50;
/** One run's share; the sweep goes on five minutes later. */
const pagesPerRun = 100;
const perSweep = 10;
const stuckAfter = days(7);

/**
 * Begins to erase a person, customer or coach, and goes on as far as one call gets. What the law on books wants is kept and
 * erased by the sweep when its time has come. Throws Refusal while money is open.
 */
export async function erasePerson(ctx: Context, caller: Caller, input: EraseInput): Promise<EraseReply> {
  const { uid, note, requestId } = input;
  await runCommand<{ uid: string }, { uid: string }>(ctx, {
    command: erasePersonCommand,
    uid: caller.uid,
    requestId,
    input,
    plan: async (tx) => {
      if (uid === caller.uid) throw new Refusal('failed-precondition', 'own-erasure', 'Somebody else must erase you.');
      await refuseOpenMoney(ctx, tx, uid);
      const known = await store.readErasure(ctx.db, uid, tx);
      if (known?.state !== 'erasing') store.writeErasure(ctx.db, tx, uid, begun(known, caller.uid, at(ctx)));
      const audit = { by: caller.uid, action: erasePersonCommand, subject: `erasures/${uid}`, note };
      planAudit(ctx, `${erasePersonCommand}_${caller.uid}_${requestId}`, audit)(tx);
      return { uid };
    },
  });
  // What fails now is the sweep's.
  await goOn(ctx, uid).catch((error: unknown) => logs.notErased(ctx.log, uid, messageOf(error)));
  return replyOf(ctx, uid);
}

/** For the sweep: goes on with erasures that stopped half-way, and with what the law has let go since. One that fails stops no other. */
export async function goOnErasing(ctx: Context, now: Date): Promise<{ worked: number }> {
  const due = await store.erasuresDue(ctx.db, Timestamp.fromDate(now), perSweep);
  const failed: string[] = [];
  for (const uid of due) {
    try {
      await again(ctx, uid);
      await goOn(ctx, uid);
      await tellIfStuck(ctx, uid, now);
    } catch (error) {
      failed.push(`${uid}: ${messageOf(error)}`);
    }
  }
  if (failed.length > 0) throw new Error(`Erasures that do not go on: ${failed.join('; ')}`);
  return { worked: due.length };
}

/** One whose kept documents' time has come begins another round. */
const again = (ctx: Context, uid: string): Promise<void> =>
  ctx.db.runTransaction(async (tx) => {
    const known = await store.readErasure(ctx.db, uid, tx);
    if (!known?.eraseAfter || known.state === 'erasing' || known.eraseAfter > at(ctx)) return;
    store.writeErasure(ctx.db, tx, uid, begunAgain(known, at(ctx)));
  });

/** Once: what keeps it is for a person to end. */
async function tellIfStuck(ctx: Context, uid: string, now: Date): Promise<void> {
  const erasure = await store.readErasure(ctx.db, uid);
  if (erasure?.state !== 'erasing' || now.getTime() - erasure.updatedAt.toMillis() < stuckAfter) return;
  await raiseFlagOnce(ctx, erasureWaits(uid, erasure.step));
}

async function goOn(ctx: Context, uid: string): Promise<void> {
  for (let pages = 0; pages < pagesPerRun; pages++) {
    const erasure = await store.readErasure(ctx.db, uid);
    if (erasure?.state !== 'erasing') return;
    if (!(await (erasure.step === atStripe ? stripeStep(ctx, uid) : pageStep(ctx, uid)))) return;
  }
}

/** False: they have bought something since it was begun. Deleting a customer would end their subscriptions at Stripe. */
async function stripeStep(ctx: Context, uid: string): Promise<boolean> {
  try {
    await ctx.db.runTransaction((tx) => refuseOpenMoney(ctx, tx, uid));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    logs.notErased(ctx.log, uid, error.message);
    return false;
  }
  const unreachable = await eraseAtStripe(ctx, uid);
  await ctx.db.runTransaction(async (tx) => {
    const erasure = await store.readErasure(ctx.db, uid, tx);
    if (erasure?.state !== 'erasing' || erasure.step !== atStripe) return;
    store.writeErasure(ctx.db, tx, uid, afterStep({ ...erasure, unreachable }, at(ctx)));
  });
  return true;
}

const at = (ctx: Context): Timestamp => Timestamp.fromDate(ctx.clock.now());

/** One page and how far it has come are one commit. False: it waits, for receipts (the sweep makes them) or for what is under way. */
function pageStep(ctx: Context, uid: string): Promise<boolean> {
  return ctx.db.runTransaction(async (tx) => {
    const erasure = await store.readErasure(ctx.db, uid, tx);
    const step = steps.find(({ name }) => name === erasure?.step);
    // Another run has ended it.
    if (erasure?.state !== 'erasing' || !step) return false;
    const limit = step.below ? perPageBelow : perPage;
    const found = await store.page(ctx.db, tx, step, { uid, after: erasure.cursor, limit });
    if (found.some((doc) => step.waits?.(doc.data() ?? {}))) return false;
    if (step.name === 'payments' && (await store.receiptsDue(ctx.db, tx, idsOf(found)))) return false;
    const person = { uid, now: at(ctx), yearStart: ctx.config.financialYearStart };
    const planned = [];
    for (const doc of found) planned.push(await planDocument(ctx, tx, { step, doc, person }));
    const cursor = found.length < limit ? null : (found.at(-1)?.id ?? null);
    const next = withPage(erasure, { fates: planned.map(({ fate }) => fate), cursor, now: person.now });
    const ended = next.state === 'erasing' ? [] : await planResolve(ctx, tx, waitsFlagId(uid), 'It is done.');
    runWrites(tx, [...planned.flatMap(({ writes }) => writes), ...ended]);
    store.writeErasure(ctx.db, tx, uid, next);
    if (next.state !== 'erasing') logs.erased(ctx.log, uid, next.state);
    return true;
  });
}

const idsOf = (found: readonly DocumentSnapshot[]): string[] => found.map(({ id }) => id);

interface Planned {
  /** Undefined: it is so already. */
  fate: Fate | undefined;
  writes: Write[];
}

async function planDocument(
  ctx: Context,
  tx: Transaction,
  { step, doc, person }: { step: Step; doc: DocumentSnapshot; person: Person },
): Promise<Planned> {
  const data = doc.data() ?? {};
  const fate = step.fate(data, person);
  const { deleted = [], changed = [] } = step.beside?.(doc.id, data) ?? {};
  const writes: Write[] = deleted.map((path) => (t) => t.delete(ctx.db.doc(path)));
  for (const { path, change } of changed) writes.push(...changing(await store.documentAt(ctx.db, tx, path), change));
  if (step.below) {
    for (const { ref } of await store.below(tx, doc, step.below, notesPerSession)) writes.push((t) => t.delete(ref));
  }
  if (step.audited) writes.push(...(await planAudited(ctx, tx, doc.ref.path, step.audited)));
  if (fate.do === 'delete') return { fate, writes: [...writes, (t) => t.delete(doc.ref)] };
  if (fate.do === 'keep') return { fate, writes };
  const own = changing(doc, fate.change);
  return { fate: own.length > 0 ? fate : undefined, writes: [...writes, ...own] };
}

/** The entry stays; what it says in words goes, and the command that it copies where that holds the same. */
async function planAudited(ctx: Context, tx: Transaction, path: string, remove: readonly string[]): Promise<Write[]> {
  const entries = await store.auditsOf(ctx.db, path, auditsPerDocument, tx);
  return entries.flatMap((entry) => {
    const copy = requestOf(entry.id, entry.data());
    return [...changing(entry, { remove }), ...(copy ? [(t: Transaction) => t.delete(ctx.db.doc(copy))] : [])];
  });
}

function changing(doc: DocumentSnapshot, change: Change): Write[] {
  const patch = store.changeOf(doc, change);
  return patch ? [(t) => t.update(doc.ref, patch)] : [];
}

async function replyOf(ctx: Context, uid: string): Promise<EraseReply> {
  const erasure = await store.readErasure(ctx.db, uid);
  if (!erasure) throw new Error(`erasures/${uid} is not there after it was begun.`);
  const iso = (time: Timestamp) => time.toDate().toISOString();
  return {
    uid,
    state: erasure.state,
    tallies: erasure.tallies,
    kept: Object.fromEntries(
      Object.entries(erasure.kept).map(([name, { until, ...kept }]) => [name, { ...kept, until: iso(until) }]),
    ),
    eraseAfter: erasure.eraseAfter && iso(erasure.eraseAfter),
  };
}
