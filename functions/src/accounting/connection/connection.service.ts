import { randomBytes } from 'node:crypto';
import { Timestamp } from 'firebase-admin/firestore';
import { planAudit } from '../../admin/audit.service.ts';
import { planResolve } from '../../admin/flags.service.ts';
import type { Context } from '../../platform/context.ts';
import type { Consented } from '../../platform/fortnox/consent.ts';
import { FortnoxError } from '../../platform/fortnox/errors.ts';
import { messageOf } from '../../platform/errors.ts';
import { runWrites } from '../../platform/write.ts';
import { unauthorizedFlagId } from '../accounting-flags.ts';
import {
  attemptMs,
  attemptProblem,
  notKept,
  notTakenUp,
  otherCompany,
  refusedByFortnox,
  type Ending,
} from './connection.ts';
import * as logs from './connection.logs.ts';
import * as store from './connection.store.ts';

export interface ConnectReply {
  /** Fortnox's page, where a system administrator of the company consents. Good for ten minutes and one use. */
  consentUrl: string;
  expiresAt: string;
}

/** Begins a connection: who it was is remembered under a secret state that only their browser knows. */
export async function beginConnection(ctx: Context, by: string): Promise<ConnectReply> {
  const state = randomBytes(32).toString('base64url');
  const now = ctx.clock.now();
  const expires = new Date(now.getTime() + attemptMs);
  const times = { createdAt: Timestamp.fromDate(now), expiresAt: Timestamp.fromDate(expires) };
  await store.createAttempt(ctx.db, state, { by, ...times });
  logs.begun(ctx.log, by);
  const consent = await ctx.fortnoxConsent();
  return { consentUrl: consent.pageUrl(state), expiresAt: expires.toISOString() };
}

/** What Fortnox sends the browser back with: a code, or why there is none. */
export interface Returned {
  state: string;
  code?: string | undefined;
  error?: string | undefined;
}

/**
 * Takes up a consent. The state is used up before Fortnox is asked, so a page loaded twice asks once; a code whose answer
 * was lost is spent, and the administrator begins anew.
 */
export async function finishConnection(ctx: Context, returned: Returned): Promise<Ending> {
  const used = await takeState(ctx, returned.state);
  if ('kind' in used) return ended(ctx, used);
  if (!returned.code) return ended(ctx, refusedByFortnox(returned.error ?? ''));
  try {
    const consent = await ctx.fortnoxConsent();
    const consented = await consent.exchange(returned.code);
    const other = await differing(ctx, consented);
    if (other) return ended(ctx, other);
    await consent.keep(consented);
    return await connect(ctx, used.by, consented);
  } catch (error) {
    if (error instanceof FortnoxError) return ended(ctx, notTakenUp(error.message), error.fortnoxMessage);
    // The code is spent; the page must say what to do, and not what is wrong inside.
    return ended(ctx, notKept, messageOf(error));
  }
}

function takeState(ctx: Context, state: string): Promise<{ by: string } | Ending> {
  return ctx.db.runTransaction(async (tx) => {
    const attempt = await store.readAttempt(ctx.db, tx, state);
    const problem = attemptProblem(attempt, ctx.clock.now());
    if (problem || !attempt) return problem ?? notTakenUp('Begin anew with connectFortnox.');
    store.updateAttempt(ctx.db, tx, state, { usedAt: Timestamp.fromDate(ctx.clock.now()) });
    return { by: attempt.by };
  });
}

const tenantOf = ({ company }: Consented): string => String(company.databaseNumber);

/** The books of one company are never continued in another's by a wrong login. */
function differing(ctx: Context, consented: Consented): Promise<Ending | undefined> {
  return ctx.db.runTransaction(async (tx) => {
    const known = ctx.config.fortnoxTenantId || (await store.readConnected(ctx.db, tx))?.tenantId;
    const id = tenantOf(consented);
    if (!known || known === id) return undefined;
    return otherCompany(known, { name: consented.company.name, id });
  });
}

async function connect(ctx: Context, by: string, consented: Consented): Promise<Ending> {
  const { name, organizationNumber } = consented.company;
  const tenantId = tenantOf(consented);
  await ctx.db.runTransaction(async (tx) => {
    const resolved = await planResolve(ctx, tx, unauthorizedFlagId, `Fortnox was connected again by ${by}.`);
    const connectedAt = Timestamp.fromDate(ctx.clock.now());
    const company = { tenantId, name, organizationNumber, connectedBy: by, connectedAt };
    runWrites(tx, [
      ...resolved,
      (t) => store.writeConnected(ctx.db, t, company),
      planAudit(ctx, `connectFortnox_${by}_${connectedAt.toMillis()}`, {
        by,
        action: 'connectFortnox',
        subject: 'settings/fortnox',
        after: { tenantId, name, organizationNumber },
      }),
    ]);
  });
  logs.connected(ctx.log, by, tenantId);
  return { kind: 'connected', company: name, organizationNumber };
}

function ended(ctx: Context, ending: Ending, detail?: string): Ending {
  if (ending.kind === 'refused') logs.notConnected(ctx.log, ending.reason, detail);
  return ending;
}
