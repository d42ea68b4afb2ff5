import { onRequest, type Request } from 'firebase-functions/https';
import { z } from 'zod';
import { productionContext } from '../../platform/context.ts';
import { baseOptions, callable, fortnoxSecrets } from '../../platform/entrance.ts';
import { beginConnection, finishConnection, type Returned } from './connection.service.ts';
import { pageOf } from './page.ts';

export const connectFortnox = callable({
  name: 'connectFortnox',
  right: 'admin',
  input: z.strictObject({}),
  limit: { perMinute: 5, perDay: 50 },
  secrets: fortnoxSecrets,
  handle: (ctx, { uid }) => beginConnection(ctx, uid),
});

const text = z.string().max(2000);
const returnedSchema = z.object({ state: text.min(1), code: text.optional(), error: text.optional() });

/** Where Fortnox sends the administrator's browser back to. Who it is, is known by the state alone. */
export const fortnoxCallback = onRequest({ ...baseOptions, secrets: fortnoxSecrets }, async (req, res) => {
  res.set({
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
  if (req.method !== 'GET') {
    res.set('Allow', 'GET').status(405).json({ error: 'Fortnox sends browsers here with GET.' });
    return;
  }
  const { status, html } = pageOf(await endingOf(req));
  res.status(status).type('html').send(html);
});

async function endingOf(req: Request): ReturnType<typeof finishConnection> {
  const returned = returnedSchema.safeParse(req.query);
  if (returned.success) return finishConnection(await productionContext(), returned.data satisfies Returned);
  return {
    kind: 'refused',
    reason: 'state-missing',
    message: 'This page was not opened from here. Begin anew with connectFortnox.',
  };
}
