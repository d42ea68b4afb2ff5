import { onRequest, type Request } from 'firebase-functions/https';
import { projectID } from 'firebase-functions/params';
import { z } from 'zod';
import { syncBooks } from './accounting/accounting.service.ts';
import { syncAfterStripe } from './accounting/stripe-own/sync.service.ts';
import { getCoachStatusSpec } from './coaches/coaches.api.ts';
import { region } from './config.ts';
import { createCheckoutSessionSpec, createPortalSessionSpec } from './payments/checkout/checkout.api.ts';
import { listPaymentsSpec } from './payments/history/history.api.ts';
import { processPaymentSpec } from './payments/payments.api.ts';
import { refundPaymentSpec } from './payments/refunds/refunds.api.ts';
import { startRun } from './payouts/payouts.service.ts';
import type { Right } from './platform/auth.ts';
import { productionContext, type Context } from './platform/context.ts';
import {
  admit,
  answer,
  baseOptions,
  parseInput,
  requireApp,
  stripeSecrets,
  toHttpsError,
  type CallableSpec,
} from './platform/entrance.ts';
import { Refusal } from './platform/errors.ts';
import { sizeProblem } from './platform/limits.ts';
import { bearer, callerOfHeader, isOurApp, isScheduler } from './platform/tokens.ts';

/** REST for clients that do not speak Firebase's callable protocol; behind Hosting as `/api/**`. */
interface Route {
  method: 'GET' | 'POST';
  path: string;
  right: Right | 'anyone' | 'admin or scheduler';
  /** The callable that it is the same as. */
  twin?: string;
  run(ctx: Context, req: Request): Promise<{ status: number; body: object }>;
}

const routes: Route[] = [
  {
    method: 'GET',
    path: '/health',
    right: 'anyone',
    run: async (ctx) => ({
      status: 200,
      body: { ok: true, service: 'inner-journey-payments', time: ctx.clock.now().toISOString() },
    }),
  },
  query('/payments', listPaymentsSpec),
  query('/coach/status', getCoachStatusSpec),
  command('/process-payment', processPaymentSpec),
  command('/refund', refundPaymentSpec),
  command('/create-checkout-session', createCheckoutSessionSpec),
  command('/portal-link', createPortalSessionSpec),
  operation('/schedule-payouts', (ctx) => startRun(ctx, ctx.clock.now())),
  operation('/sync-accounting', (ctx) => syncAfterStripe(ctx, () => syncBooks(ctx, ctx.clock.now()))),
];

/** Which routes there are and whose they are. */
export const apiRoutes: readonly Pick<Route, 'method' | 'path' | 'right' | 'twin'>[] = routes;

/** A callable's twin that changes nothing: its input is the query. */
function query<I, O extends object>(path: string, spec: CallableSpec<I, O>): Route {
  return twin('GET', path, spec, ({ query: asked }) => ({ ...asked, ...numbered(asked, 'limit') }));
}

/** Everything in a query is text. What is no number stays so, for the schema to name. */
function numbered(asked: Request['query'], name: string): Record<string, number> {
  const text = asked[name];
  return typeof text === 'string' && /^\d{1,9}$/.test(text) ? { [name]: Number(text) } : {};
}

/** A callable's twin: its input is the body. */
function command<I, O extends object>(path: string, spec: CallableSpec<I, O>): Route {
  return twin('POST', path, spec, inputOf);
}

/** The same right, schema and service as the callable. */
function twin<I, O extends object>(
  method: Route['method'],
  path: string,
  spec: CallableSpec<I, O>,
  input: (req: Request) => unknown,
): Route {
  return {
    method,
    path,
    right: spec.right,
    twin: spec.name,
    async run(ctx, req) {
      requireApp(ctx, !ctx.config.enforceAppCheck || (await isOurApp(req.get('X-Firebase-AppCheck'))));
      const header = req.get('Authorization');
      const caller = await callerOfHeader(header);
      await admit(spec.right, caller, bearer(header));
      return { status: 200, body: await answer(ctx, spec, caller, input(req)) };
    },
  };
}

/** What an administrator or Cloud Scheduler sets going; it is queued and answered at once. */
function operation(path: string, start: (ctx: Context) => Promise<object>): Route {
  return {
    method: 'POST',
    path,
    right: 'admin or scheduler',
    async run(ctx, req) {
      await requireOperator(ctx, req.get('Authorization'), path);
      parseInput(z.strictObject({}), inputOf(req));
      return { status: 202, body: await start(ctx) };
    },
  };
}

function inputOf(req: Request): unknown {
  return sizeProblem(req.rawBody?.length ?? 0) ?? (req.body as unknown);
}

export const api = onRequest({ ...baseOptions, timeoutSeconds: 300, secrets: stripeSecrets }, async (req, res) => {
  const ctx = await productionContext();
  try {
    const { status, body } = await route(req).run(ctx, req);
    res.status(status).json(body);
  } catch (error) {
    const refused = toHttpsError(ctx.log, `api ${req.method} ${req.path}`, error);
    const { reason, ...details } = refused.details as { reason: string };
    res
      .status(statusOf(refused.httpErrorCode.status, reason))
      .json({ error: { code: refused.code, reason, message: refused.message, details } });
  }
});

function route(req: Request): Route {
  const path = req.path.replace(/^\/api(?=\/)/, '').replace(/(?<=.)\/$/, '');
  const there = routes.filter((candidate) => candidate.path === path);
  const found = there.find((candidate) => candidate.method === req.method);
  if (found) {
    if (found.method === 'POST' && !req.is('application/json')) {
      throw new Refusal('invalid-argument', 'json-only', 'Send a JSON body with Content-Type: application/json.');
    }
    return found;
  }
  if (there[0]) throw new Refusal('invalid-argument', 'method-not-allowed', `${path} answers ${there[0].method} only.`);
  throw new Refusal(
    'not-found',
    'no-such-route',
    `There is no ${req.method} ${path.slice(0, 100)}. Routes: ${routes.map((r) => `${r.method} ${r.path}`).join(', ')}.`,
  );
}

/** HTTP has finer words than the callable protocol for a wrong method and a wrong content type. */
function statusOf(status: number, reason: string): number {
  if (reason === 'method-not-allowed') return 405;
  if (reason === 'body-too-large') return 413;
  return reason === 'json-only' ? 415 : status;
}

/** An administrator, or Cloud Scheduler by its OIDC token. */
async function requireOperator(ctx: Context, header: string | undefined, path: string): Promise<void> {
  if (await isScheduler(ctx, header, audiencesOf(ctx, path))) return;
  const caller = await callerOfHeader(header);
  await admit('admin', caller, bearer(header));
}

/** Our own addresses, from the configuration: what a request says of its host is the sender's word. */
function audiencesOf(ctx: Context, path: string): string[] {
  const own = [`https://${region}-${projectID.value()}.cloudfunctions.net`, ...ctx.config.allowedOrigins];
  return own.map((origin) => `${origin}/api${path}`);
}
