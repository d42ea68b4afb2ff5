import { HttpsError, onCall, type CallableFunction } from 'firebase-functions/https';
import { z } from 'zod';
import { region, secrets } from '../config.ts';
import { callerOf, requireRight, type Caller, type Right } from './auth.ts';
import { productionContext, type Context } from './context.ts';
import { messageOf, Refusal } from './errors.ts';
import type { Log } from './log.ts';

/** Options every function shares. 60 s is Firebase's default time limit, said aloud. */
export const baseOptions = { region, memory: '512MiB', timeoutSeconds: 60 } as const;

/** What functions that talk to Stripe need. */
export const stripeSecrets = [secrets.stripeSecretKey];
export const fortnoxSecrets = [secrets.fortnoxClientId, secrets.fortnoxClientSecret];

/** A client-made id of one command: the same id with the same input gives the first result again. */
export const requestIdSchema = z.string().regex(/^[A-Za-z0-9-]{8,64}$/, 'must be 8 to 64 letters, digits or hyphens');
/** Firestore document ids that clients name. */
export const documentIdSchema = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be 1 to 128 letters, digits, _ or -');

export interface CallableSpec<I, O> {
  name: string;
  right: Right;
  input: z.ZodType<I>;
  handle(ctx: Context, caller: Caller, input: I): Promise<O>;
}

/** One callable function: App Check where enforced, who may call, input by schema, one call to the service, named refusals. */
export function callable<I, O>(spec: CallableSpec<I, O>): CallableFunction<unknown, Promise<O>> {
  return onCall<unknown, Promise<O>>({ ...baseOptions, secrets: stripeSecrets, cors: true }, async (request) => {
    const ctx = await productionContext();
    try {
      if (ctx.config.enforceAppCheck && !request.app) {
        throw new Refusal(
          'unauthenticated',
          'app-check-required',
          'This app could not be verified. Update it and try again.',
        );
      }
      return await answer(ctx, spec, callerOf(request.auth), request.data);
    } catch (error) {
      throw toHttpsError(ctx.log, spec.name, error);
    }
  });
}

/** The same for the REST functions: right, schema, service. */
export async function answer<I, O>(ctx: Context, spec: CallableSpec<I, O>, caller: Caller, data: unknown): Promise<O> {
  requireRight(caller, spec.right);
  return spec.handle(ctx, caller, parseInput(spec.input, data));
}

export function parseInput<I>(schema: z.ZodType<I>, data: unknown): I {
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
