import type { MemoryOption } from 'firebase-functions';
import { HttpsError, onCall, type CallableFunction } from 'firebase-functions/https';
import { z } from 'zod';
import { region, secrets } from '../config.ts';
import { callerOf, requireRight, type Caller, type Right } from './auth.ts';
import { productionContext, type Context } from './context.ts';
import { allowedOrigins } from './entrance-origins.ts';
import { guardedBody, refusedBody } from './entrance-guard.ts';
import { messageOf, Refusal } from './errors.ts';
import { inputProblem } from './limits.ts';
import type { Log } from './log.ts';
import { requireRoom, type Limit } from './throttle.ts';
import { requireStanding } from './tokens.ts';

/** Options every function shares. 60 s is Firebase's default time limit, said aloud. */
export const baseOptions = { region, memory: '512MiB', timeoutSeconds: 60 } as const;

/** What functions that talk to Stripe need. */
export const stripeSecrets = [secrets.stripeSecretKey];
export const fortnoxSecrets = [secrets.fortnoxClientId, secrets.fortnoxClientSecret];

/** A client-made id of one command: the same id with the same input gives the first result again. */
export const requestIdSchema = z.string().regex(/^[A-Za-z0-9-]{8,64}$/, 'must be 8 to 64 letters, digits or hyphens');
/** Firestore document ids that clients name. Firestore keeps `__…__` for itself and answers an error to it. */
export const documentIdSchema = z
  .string()
  .regex(/^(?!__.*__$)[A-Za-z0-9_-]{1,128}$/, 'must be 1 to 128 letters, digits, _ or -, and not like __this__');

/** What one person writes to another: a line of words, without control characters and marks that hide or reverse text. */
export const wordsSchema = (longest: number) =>
  z
    .string()
    .regex(/^[^\p{Cc}\p{Cf}\p{Cs}]*$/u, 'must be one line without hidden characters')
    .trim()
    .min(1)
    .max(longest);

export interface CallableSpec<I, O> {
  name: string;
  right: Right;
  input: z.ZodType<I>;
  /** How often one user may call it; for what costs calls to Stripe or could try out stolen cards. */
  limit?: Limit;
  /** Where a file comes in its body: what that may have at most, and the memory to read it in, one call at a time. */
  file?: { bodyBytes: number; memory: MemoryOption };
  /** How long it may take, where a minute is not enough. */
  timeoutSeconds?: number;
  /** What it needs beside Stripe's key. */
  secrets?: readonly (typeof fortnoxSecrets)[number][];
  handle(ctx: Context, caller: Caller, input: I): Promise<O>;
}

/** What a callable was made of, for tools that describe it; undefined for any other function. */
export type DescribedCallable = Pick<CallableSpec<unknown, unknown>, 'name' | 'right' | 'input' | 'limit'> & {
  answer(ctx: Context, caller: Caller, data: unknown): Promise<unknown>;
};

const described = new WeakMap<object, DescribedCallable>();

export const describedCallable = (exported: object): DescribedCallable | undefined => described.get(exported);

/**
 * One callable function: the body's limits, App Check where enforced, who may call and whether they still may, input by
 * schema, one call to the service, named refusals.
 */
export function callable<I, O>(spec: CallableSpec<I, O>): CallableFunction<unknown, Promise<O>> {
  const room = spec.file ? { memory: spec.file.memory, concurrency: 1 } : {};
  const options = {
    ...baseOptions,
    ...room,
    ...(spec.timeoutSeconds === undefined ? {} : { timeoutSeconds: spec.timeoutSeconds }),
    secrets: [...stripeSecrets, ...(spec.secrets ?? [])],
    cors: allowedOrigins,
  };
  const made = guardedBody(
    onCall<unknown, Promise<O>>(options, async (request) => {
      const ctx = await productionContext();
      try {
        requireApp(ctx, request.app !== undefined);
        const caller = callerOf(request.auth);
        const data = refusedBody(request.rawRequest) ?? request.data;
        await admit(spec.right, caller, request.auth?.rawToken ?? '');
        return await answer(ctx, spec, caller, data);
      } catch (error) {
        throw toHttpsError(ctx.log, spec.name, error);
      }
    }),
    spec.file?.bodyBytes,
  );
  described.set(made, { ...spec, answer: (ctx, caller, data) => answer(ctx, spec, caller, data) });
  return made;
}

/** Where App Check is enforced, calls that bring no valid token of the app are refused. */
export function requireApp(ctx: Context, verified: boolean): void {
  if (!ctx.config.enforceAppCheck || verified) return;
  throw new Refusal(
    'unauthenticated',
    'app-check-required',
    'This app could not be verified. Update it and try again.',
  );
}

/**
 * The right, and whether the login still stands: a token outlives a withdrawal by up to an hour. That costs one question
 * to Firebase Auth, a tenth of what the call to Stripe behind it takes.
 */
export async function admit(right: Right, caller: Caller, idToken: string): Promise<void> {
  requireRight(caller, right);
  await requireStanding(idToken);
}

/** The same for the REST functions: right, schema, the user's limit, service. `data` may be the refusal its body has met already. */
export async function answer<I, O>(ctx: Context, spec: CallableSpec<I, O>, caller: Caller, data: unknown): Promise<O> {
  requireRight(caller, spec.right);
  const input = parseInput(spec.input, data);
  if (spec.limit) await requireRoom(ctx, caller.uid, spec.name, spec.limit, input);
  return spec.handle(ctx, caller, input);
}

export function parseInput<I>(schema: z.ZodType<I>, data: unknown): I {
  const problem = data instanceof Refusal ? data : inputProblem(data);
  if (problem) throw problem;
  const parsed = schema.safeParse(data ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Refusal('invalid-argument', 'invalid-input', z.prettifyError(parsed.error).slice(0, 500), {
    field: issue?.path.join('.') ?? '',
  });
}

/** Refusals keep their words; anything else is logged whole and leaves as a bare `internal`. */
export function toHttpsError(log: Log, name: string, error: unknown): HttpsError {
  if (error instanceof Refusal)
    return new HttpsError(error.code, error.message, { reason: error.reason, ...error.details });
  log.error('entrance.failed', {
    name,
    message: messageOf(error),
    stack: error instanceof Error ? (error.stack ?? '') : '',
  });
  return new HttpsError('internal', 'Something went wrong on our side. Try again with the same requestId.', {
    reason: 'internal',
  });
}
