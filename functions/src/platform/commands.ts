import { createHash } from 'node:crypto';
import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type { FunctionsErrorCode } from 'firebase-functions/https';
import type { Context } from './context.ts';
import { Refusal } from './errors.ts';

/**
 * Idempotent commands (`requests/{uid_requestId}`). What is about to be asked of Stripe is written down before it is
 * asked; the same id with the same input finishes or repeats the first run, with another input it is refused.
 */
export type CommandRecord<P, R> = {
  command: string;
  uid: string;
  requestId: string;
  inputHash: string;
  /** Frozen when the command was accepted: amounts, fee, owner. A resumed run asks Stripe for exactly the same. */
  plan: P;
  createdAt: Timestamp;
  updatedAt: Timestamp;
} & (
  | { state: 'started' }
  | { state: 'done'; result: R }
  | {
      state: 'refused';
      refusal: { code: FunctionsErrorCode; reason: string; message: string; details: Refusal['details'] };
    }
);

export interface Command<P, R> {
  command: string;
  uid: string;
  requestId: string;
  input: unknown;
  /** Reads and decides inside the transaction that accepts the command. Throws Refusal; nothing is kept then. */
  plan(tx: Transaction): Promise<P>;
  /**
   * Does it, under Stripe keys made from uid and requestId. Run again after a crash. A thrown FinalRefusal is the command's
   * result. Left out where all is done in the commit that accepts the command: its plan is the result.
   */
  execute?(plan: P, startedAt: Date): Promise<R>;
}

/** A refusal that ends the command: the same requestId gives it again. (Other errors leave it `started`, to be resumed.) */
export class FinalRefusal extends Refusal {}

export const requestsCollection = 'requests';

export function requestPath(uid: string, requestId: string): string {
  return `${requestsCollection}/${uid}_${requestId}`;
}

export async function runCommand<P extends object, R extends object>(ctx: Context, command: Command<P, R>): Promise<R> {
  const record = await accept<P, R>(ctx, command);
  return finish<P, R>(ctx, record, async (plan, startedAt) => {
    if (!command.execute) throw new Error(`${command.command} is done when it is accepted, and is not done here.`);
    return command.execute(plan, startedAt);
  });
}

/** Finishes a command accepted earlier: a repeated call, or the sweep after a crash. */
export async function finish<P extends object, R extends object>(
  ctx: Context,
  record: CommandRecord<P, R>,
  execute: (plan: P, startedAt: Date) => Promise<R>,
): Promise<R> {
  if (record.state === 'done') return record.result;
  if (record.state === 'refused') throw asRefusal(record.refusal);
  const ref = ctx.db.doc(requestPath(record.uid, record.requestId));
  try {
    const result = await execute(record.plan, record.createdAt.toDate());
    await ref.update({ state: 'done', result, updatedAt: Timestamp.fromDate(ctx.clock.now()) });
    return result;
  } catch (error) {
    if (error instanceof FinalRefusal) {
      const { code, reason, message, details } = error;
      await ref.update({
        state: 'refused',
        refusal: { code, reason, message, details },
        updatedAt: Timestamp.fromDate(ctx.clock.now()),
      });
    }
    throw error;
  }
}

async function accept<P, R>(ctx: Context, command: Command<P, R>): Promise<CommandRecord<P, R>> {
  const ref = ctx.db.doc(requestPath(command.uid, command.requestId));
  const inputHash = hashInput(command.command, command.input);
  return ctx.db.runTransaction(async (tx) => {
    const existing = (await tx.get(ref)).data() as CommandRecord<P, R> | undefined;
    if (existing) {
      if (existing.inputHash === inputHash) return existing;
      throw new Refusal(
        'already-exists',
        'request-id-reused',
        'This requestId was used before with another input. Make a new requestId for a new command.',
      );
    }
    const plan = await command.plan(tx);
    const at = Timestamp.fromDate(ctx.clock.now());
    const { uid, requestId } = command;
    const record: CommandRecord<P, R> = {
      command: command.command,
      uid,
      requestId,
      inputHash,
      plan,
      createdAt: at,
      updatedAt: at,
      ...(command.execute ? { state: 'started' } : { state: 'done', result: plan as unknown as R }),
    };
    tx.create(ref, record);
    return record;
  });
}

const asRefusal = (data: {
  code: FunctionsErrorCode;
  reason: string;
  message: string;
  details: Refusal['details'];
}): Refusal => new Refusal(data.code, data.reason, data.message, { ...data.details });

/** SHA-256 over the command's name and its input with keys in order. */
export function hashInput(command: string, input: unknown): string {
  return createHash('sha256')
    .update(`${command}\n${stableJson(input)}`)
    .digest('hex');
}

function stableJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stableJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${stableJson(inner)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
