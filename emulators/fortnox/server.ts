import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createFortnoxCore } from './core.ts';
import type { FortnoxCore } from './core.ts';
import type { SeedOptions } from './state.ts';

const MAX_BODY_BYTES = 4 * 1024 * 1024;

export type FortnoxEmulator = {
  readonly url: string;
  readonly port: number;
  readonly core: FortnoxCore;
  /** Stops listening and ends every open connection, held ones too. */
  close(): Promise<void>;
};

async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function headersOf(request: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}

/**
 * The emulator on 127.0.0.1. `port` 0, the default, takes any free one; `clock` (unix milliseconds) is real time unless given.
 * Rejects with node's own error (EADDRINUSE) when the port is taken.
 */
export async function startFortnoxEmulator(
  options: Partial<SeedOptions> & { readonly port?: number; readonly clock?: () => number } = {},
): Promise<FortnoxEmulator> {
  const { port: wantedPort = 0, clock = () => Date.now(), ...seed } = options;
  const core = createFortnoxCore({ ...seed, clock });
  const held = new Set<NodeJS.Timeout>();

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await bodyOf(request);
    if (bytes === null) {
      response.writeHead(413, { connection: 'close' }).end();
      return;
    }
    const reply = core.handle({
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      headers: headersOf(request),
      body: bytes.toString('utf8'),
      bytes,
      origin: `http://${request.headers.host ?? '127.0.0.1'}`,
    });
    const finish = () => {
      if (reply.kind === 'drop') request.socket.destroy();
      else response.writeHead(reply.status, { ...reply.headers }).end(reply.bytes ?? reply.body);
    };
    if (reply.delayMs === 0) {
      finish();
      return;
    }
    const timer = setTimeout(() => {
      held.delete(timer);
      finish();
    }, reply.delayMs);
    held.add(timer);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      // A caller that went away mid-request is its own business; anything else is a bug here and must be seen.
      if (request.destroyed && !request.complete) return;
      console.error('Fortnox emulator: a request failed inside the emulator.', error);
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(String(error));
    });
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wantedPort, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;

  async function close(): Promise<void> {
    for (const timer of held) clearTimeout(timer);
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  return { url: `http://127.0.0.1:${port}`, port, core, close };
}
