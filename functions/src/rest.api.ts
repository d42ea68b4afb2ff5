import { onRequest, type Request } from 'firebase-functions/https';
import { syncBooks } from './accounting/accounting.service.ts';
import { processPaymentSpec } from './payments/payments.api.ts';
import { startRun } from './payouts/payouts.service.ts';
import { requireRight } from './platform/auth.ts';
import { productionContext, type Context } from './platform/context.ts';
import { answer, baseOptions, stripeSecrets, toHttpsError } from './platform/entrance.ts';
import { Refusal } from './platform/errors.ts';
import { callerOfHeader, isScheduler } from './platform/tokens.ts';

/** REST for clients that do not speak Firebase's callable protocol; behind Hosting as `/api/**`. */
interface Route {
  method: 'GET' | 'POST';
  path: string;
  run(ctx: Context, req: Request): Promise<{ status: number; body: object }>;
}

const routes: Route[] = [
  {
    method: 'GET',
    path: '/health',
    run: async (ctx) => ({
      status: 200,
      body: { ok: true, service: 'inner-journey-payments', time: ctx.clock.now().toISOString() },
    }),
  },
  {
    method: 'POST',
    path: '/process-payment',
    run: async (ctx, req) => {
      const caller = await callerOfHeader(req.get('Authorization'));
      return { status: 200, body: await answer(ctx, processPaymentSpec, caller, req.body) };
    },
  },
  {
    method: 'POST',
    path: '/schedule-payouts',
    run: async (ctx, req) => {
      await requireOperator(ctx, req);
      return { status: 202, body: await startRun(ctx, ctx.clock.now()) };
    },
  },
  {
    method: 'POST',
    path: '/sync-accounting',
    run: async (ctx, req) => {
      await requireOperator(ctx, req);
      return { status: 202, body: await syncBooks(ctx, ctx.clock.now()) };
    },
  },
];

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
  const path = req.path.replace(/^\/api(?=\/)/, '').replace(/\/+$/, '');
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
    `There is no ${req.method} ${path}. Routes: ${routes.map((r) => `${r.method} ${r.path}`).join(', ')}.`,
  );
}

/** HTTP has finer words than the callable protocol for a wrong method and a wrong content type. */
function statusOf(status: number, reason: string): number {
  if (reason === 'method-not-allowed') return 405;
  return reason === 'json-only' ? 415 : status;
}

/** An administrator, or Cloud Scheduler by its OIDC token. */
async function requireOperator(ctx: Context, req: Request): Promise<void> {
  const header = req.get('Authorization');
  const audience = `https://${req.hostname}${req.originalUrl.split('?')[0] ?? ''}`;
  if (await isScheduler(ctx, header, audience)) return;
  requireRight(await callerOfHeader(header), 'admin');
}
