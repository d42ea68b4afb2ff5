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
  /** While paused, tasks are taken and kept. */
  pause(): void;
  resume(): void;
  delivered: { queue: string; id: string; status: number }[];
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

export async function startTaskServer(
  urlOf: (queue: string) => string,
  maxAttempts = 8,
  concurrency = 4,
): Promise<TaskServer> {
  const taken = new Set<string>();
  const waiting: Task[] = [];
  const delivered: TaskServer['delivered'] = [];
  const lost: string[] = [];
  let running = 0;
  let paused = false;

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
      delivered.push({ queue: task.queue, id: task.id, status: response.status });
      if (response.ok) return;
      await new Promise((done) => setTimeout(done, 20 * (attempt + 1)));
    }
    lost.push(`${task.queue}/${task.id}`);
  }

  function pump(): void {
    while (!paused && running < concurrency) {
      const task = waiting.shift();
      if (!task) return;
      running++;
      void deliver(task)
        .catch((error: unknown) => lost.push(`${task.queue}/${task.id}: ${String(error)}`))
        .finally(() => {
          running--;
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
    delivered,
    pause: () => (paused = true),
    resume: () => {
      paused = false;
      pump();
    },
    async settle() {
      while (running > 0 || (waiting.length > 0 && !paused)) await new Promise((done) => setTimeout(done, 10));
      if (lost.length > 0) throw new Error(`Tasks that failed for good: ${lost.splice(0).join(', ')}`);
    },
    close: () => new Promise((closed) => server.close(() => closed())),
  };
}
