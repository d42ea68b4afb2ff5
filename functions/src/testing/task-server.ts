import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Stands where Cloud Tasks stands for tests: takes what the Admin SDK enqueues, delivers it at least once to the function
 * of the queue's name, retries what fails, and remembers ids, so that a doubled enqueue is refused.
 */
export interface TaskServer {
  /** host:port, for CLOUD_TASKS_EMULATOR_HOST. */
  host: string;
  /** Waits until no task is under way; throws when a task has failed for good. */
  settle(): Promise<void>;
  /** How many tasks were ever enqueued. */
  enqueued(): number;
  close(): Promise<void>;
}

interface Task {
  queue: string;
  id: string;
  body: Buffer;
}

/** Unsigned: Cloud Run checks the real one before the function sees it. */
const token = ['{"alg":"none"}', '{"sub":"tasks","email":"tasks@example.se"}', '']
  .map((part) => Buffer.from(part).toString('base64url'))
  .join('.');

/** As the queues of production: vouchers go one at a time. */
const concurrency = (queue: string): number => (queue === 'postVoucher' ? 1 : 4);
const maxAttempts = 12;
/** Doubles from a tenth of a second to five; all of them are longer than the 30 s after which an unclear voucher is posted anew. */
const backoffMs = (attempt: number): number => Math.min(100 * 2 ** attempt, 5_000);

export async function startTaskServer(urlOf: (queue: string) => string): Promise<TaskServer> {
  const taken = new Set<string>();
  const waiting: Task[] = [];
  const lost: string[] = [];
  const running = new Map<string, number>();
  const runningIn = (queue: string): number => running.get(queue) ?? 0;
  const idle = (): boolean => waiting.length === 0 && [...running.values()].every((count) => count === 0);

  async function deliver(task: Task): Promise<void> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const response = await fetch(urlOf(task.queue), {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          Authorization: `Bearer ${token}`,
          'X-CloudTasks-QueueName': task.queue,
          'X-CloudTasks-TaskName': task.id,
          'X-CloudTasks-TaskRetryCount': String(attempt),
        },
        body: new Uint8Array(task.body),
      });
      await response.arrayBuffer();
      if (response.ok) return;
      await new Promise((done) => setTimeout(done, backoffMs(attempt)));
    }
    lost.push(`${task.queue}/${task.id}`);
  }

  function pump(): void {
    for (let at = 0; at < waiting.length;) {
      const task = waiting[at];
      if (!task || runningIn(task.queue) >= concurrency(task.queue)) {
        at++;
        continue;
      }
      waiting.splice(at, 1);
      running.set(task.queue, runningIn(task.queue) + 1);
      void deliver(task)
        .catch((error: unknown) => lost.push(`${task.queue}/${task.id}: ${String(error)}`))
        .finally(() => {
          running.set(task.queue, runningIn(task.queue) - 1);
          pump();
        });
    }
  }

  const server: Server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const queue = /\/queues\/([^/]+)\/tasks/.exec(req.url ?? '')?.[1] ?? '';
      const { task } = JSON.parse(Buffer.concat(chunks).toString()) as {
        task: { name?: string; httpRequest: { body: string } };
      };
      const id = task.name?.split('/').at(-1) ?? `unnamed-${taken.size}`;
      if (taken.has(`${queue}/${id}`)) {
        res
          .writeHead(409, { 'Content-Type': 'application/json' })
          .end('{"error":{"code":409,"message":"task already exists"}}');
        return;
      }
      taken.add(`${queue}/${id}`);
      waiting.push({ queue, id, body: Buffer.from(task.httpRequest.body, 'base64') });
      res.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
      pump();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    async settle() {
      while (!idle()) await new Promise((done) => setTimeout(done, 10));
      if (lost.length > 0) throw new Error(`Tasks that failed for good: ${lost.splice(0).join(', ')}`);
    },
    enqueued: () => taken.size,
    close: () => new Promise((closed) => server.close(() => closed())),
  };
}
