import { request } from 'node:http';
import { connect } from 'node:net';

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Whether something accepts connections on 127.0.0.1:port. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 2000 });
    const done = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('timeout', () => done(false));
  });
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One HTTP request; undefined when nothing answers within the time. */
export function ask(
  url: string,
  timeoutMs = 5000,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const { body, ...rest } = options;
    const call = request(url, { agent: false, timeout: timeoutMs, ...rest }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => resolve(undefined));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(undefined));
    call.end(body);
  });
}

export interface Patience {
  readonly limitMs: number;
  readonly everyMs?: number;
  /** Gives up at once when it is aborted. */
  readonly signal?: AbortSignal;
  /** What to throw when the time is over. */
  readonly late: () => Error;
}

/** Asks again and again until `look` gives something. */
export async function until<T>(look: () => Promise<T | undefined>, patience: Patience): Promise<T> {
  const deadline = performance.now() + patience.limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (patience.signal?.aborted) throw new Error('Interrupted.');
    if (performance.now() > deadline) throw patience.late();
    await sleep(patience.everyMs ?? 100);
  }
}
