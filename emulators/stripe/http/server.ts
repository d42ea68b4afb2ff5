/** The HTTP shell: Stripe's API, the hosted pages and the control API on one port of this machine. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CoreResponse, StripeCore } from '../core/core.ts';
import { control } from './control.ts';
import type { Deliverer } from './delivery.ts';
import { hosted } from './hosted.ts';
import { stripeJs } from './stripe-js/script.ts';

const LARGEST_BODY = 1_000_000;
/** Stripe.js calls from other origins; so does its stand-in. */
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
  'access-control-allow-headers': 'authorization, content-type, idempotency-key, stripe-account, stripe-version',
  'access-control-expose-headers': 'request-id',
};

export function createStripeServer(core: StripeCore, deliverer: Deliverer) {
  const server = createServer((request, response) => {
    serve(core, deliverer, request, response).catch((error: unknown) => {
      // A fault of the emulator itself: say so, in Stripe's shape, and on the console.
      console.error('The Stripe emulator failed:', error);
      const message = `The Stripe emulator failed: ${error instanceof Error ? error.message : String(error)}`;
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, {}, { error: { type: 'api_error', message } });
    });
  });
  server.keepAliveTimeout = 30_000;
  return server;
}

async function serve(
  core: StripeCore,
  deliverer: Deliverer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const method = request.method ?? 'GET';
  const url = new URL(request.url ?? '/', 'http://emulator');
  if (method === 'OPTIONS') {
    response.writeHead(204, CORS).end();
    return;
  }
  const body = await bodyOf(request);
  if (body === undefined) {
    const error = { type: 'invalid_request_error', message: `The body is larger than ${LARGEST_BODY} bytes.` };
    return sendJson(response, 413, {}, { error });
  }
  if (url.pathname === '/_emulator' || url.pathname.startsWith('/_emulator/')) {
    const reply = await control(core, deliverer, { method, url, body });
    sendJson(response, reply.status, { 'content-type': 'application/json' }, reply.body);
    return deliverer.pump();
  }
  if (url.pathname.startsWith('/_hosted/')) {
    core.tick();
    const page = hosted(core.world, { method, path: url.pathname, body });
    if (page) response.writeHead(page.status, page.headers).end(page.body);
    else response.writeHead(404, { 'content-type': 'text/plain' }).end('The Stripe emulator has no such page.');
    return deliverer.pump();
  }
  const script = method === 'GET' ? stripeJs(url.pathname, core.world.publicUrl) : undefined;
  if (script !== undefined) {
    const type = 'application/javascript; charset=utf-8';
    response.writeHead(200, { ...CORS, 'content-type': type, 'cache-control': 'no-store' }).end(script);
    return;
  }
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers))
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  const reply = core.handle({ method, path: request.url ?? '/', headers, body });
  carry(request, response, reply);
  deliverer.pump();
}

/** Sends the answer the way the core says it travels. */
function carry(request: IncomingMessage, response: ServerResponse, reply: CoreResponse): void {
  const { transport } = reply;
  switch (transport.kind) {
    case 'reply':
      return sendJson(response, reply.status, reply.headers, reply.body);
    case 'break':
      setTimeout(() => request.socket.destroy(), transport.delayMs).unref();
      return;
    case 'hang':
      setTimeout(() => {
        transport.release();
        if (!response.destroyed) sendJson(response, reply.status, reply.headers, reply.body);
      }, transport.delayMs).unref();
      return;
  }
}

function sendJson(response: ServerResponse, status: number, headers: Record<string, string>, body: object): void {
  response
    .writeHead(status, { 'content-type': 'application/json', ...CORS, ...headers })
    .end(JSON.stringify(body, null, 2));
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
