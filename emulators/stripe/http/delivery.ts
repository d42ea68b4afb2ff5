/** Sends the core's outbox: signed, a few at a time, again after a failure. Order is not kept, as at Stripe. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { StripeCore } from '../core/core.ts';
import type { Delivery } from '../core/webhooks.ts';

export interface DeliveryOptions {
  /** Deliveries on their way at once. */
  concurrency: number;
  /** Milliseconds before each further attempt; their number is the number of retries. */
  retryDelaysMs: readonly number[];
  /** Milliseconds an endpoint may take to answer. */
  timeoutMs: number;
}

export const defaultDelivery: DeliveryOptions = {
  concurrency: 16,
  retryDelaysMs: [250, 500, 1_000, 2_000, 4_000],
  timeoutMs: 20_000,
};

export interface Deliverer {
  /** Takes what is in the outbox and starts sending. */
  pump(): void;
  /** Deliveries waiting, on their way or to be tried again. */
  pending(): number;
  /** Sends one event's deliveries again, whatever became of them. */
  resend(deliveries: readonly Delivery[]): void;
  /** Forgets what is waiting. */
  clear(): void;
  close(): void;
}

export function createDeliverer(core: StripeCore, options: DeliveryOptions): Deliverer {
  const queue: { delivery: Delivery; attempt: number }[] = [];
  const waiting = new Set<NodeJS.Timeout>();
  let running = 0;
  let closed = false;

  const later = (delivery: Delivery, attempt: number, delayMs: number): void => {
    const timer = setTimeout(() => {
      waiting.delete(timer);
      queue.push({ delivery, attempt });
      drain();
    }, delayMs);
    waiting.add(timer);
  };

  const run = async (delivery: Delivery, attempt: number): Promise<void> => {
    // A reset may have forgotten the event while its delivery waited.
    if (!core.world.deliveries.has(delivery.id)) return;
    const { body, signature } = core.payload(delivery, Date.now() / 1000);
    const result = await send(delivery.url, body, signature, options.timeoutMs);
    const ok = typeof result === 'number' && result >= 200 && result < 300;
    const delay = options.retryDelaysMs[attempt];
    core.report(delivery.id, result, delay === undefined);
    if (!ok && delay !== undefined && !closed) later(delivery, attempt + 1, delay);
  };

  const drain = (): void => {
    while (!closed && running < options.concurrency) {
      const next = queue.shift();
      if (!next) return;
      running += 1;
      void run(next.delivery, next.attempt).finally(() => {
        running -= 1;
        drain();
      });
    }
  };

  const clear = (): void => {
    queue.length = 0;
    for (const timer of waiting) clearTimeout(timer);
    waiting.clear();
  };

  return {
    clear,
    pump() {
      for (const delivery of core.takeDeliveries()) {
        if (delivery.delayMs > 0) later(delivery, 0, delivery.delayMs);
        else queue.push({ delivery, attempt: 0 });
      }
      drain();
    },
    pending: () => queue.length + running + waiting.size,
    resend(deliveries) {
      for (const delivery of deliveries) queue.push({ delivery, attempt: options.retryDelaysMs.length });
      drain();
    },
    close() {
      closed = true;
      clear();
    },
  };
}

/** The status of the answer, or what went wrong. */
function send(url: string, body: string, signature: string, timeoutMs: number): Promise<number | string> {
  return new Promise((resolve) => {
    const target = new URL(url);
    const request = (target.protocol === 'https:' ? httpsRequest : httpRequest)(
      target,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'content-length': Buffer.byteLength(body),
          'stripe-signature': signature,
          'user-agent': 'Stripe/1.0 (emulator)',
        },
        timeout: timeoutMs,
      },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
        response.on('error', (error) => resolve(error.message));
      },
    );
    request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.on('error', (error) => resolve(error.message));
    request.end(body);
  });
}
