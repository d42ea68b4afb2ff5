import { AsyncLocalStorage } from 'node:async_hooks';
import type Stripe from 'stripe';

/** What one piece of work may ask of Stripe before it is ended. */
export interface CallLimits {
  /** HTTP requests, the pages of lists and the SDK's own retries among them. */
  calls: number;
  /** Milliseconds, all its steps together. */
  ms: number;
}

/** The work ran into its limits. What became of the last call is not known, so only reads are done under a budget. */
export class BudgetSpent extends Error {}

const current = new AsyncLocalStorage<CallBudget>();

export class CallBudget {
  readonly #limits: CallLimits;
  readonly #deadline: number;
  readonly #spent = Promise.withResolvers<never>();
  #left: number;

  constructor(limits: CallLimits) {
    this.#limits = limits;
    this.#left = limits.calls;
    this.#deadline = performance.now() + limits.ms;
    // Nobody may be waiting when it is spent.
    this.#spent.promise.catch(() => undefined);
  }

  /** Runs one step. Rejects with BudgetSpent as soon as that is so; what the step still waits for is left behind. */
  async run<T>(step: () => Promise<T>): Promise<T> {
    const { ms } = this.#limits;
    const timer = setTimeout(
      () => this.#end(`Stripe did not answer all that was asked within ${ms} ms.`),
      Math.max(0, this.#deadline - performance.now()),
    );
    try {
      return await Promise.race([this.#spent.promise, current.run(this, step)]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Takes one call off; rejects the step when none is left. */
  take(): void {
    if (this.#left <= 0) throw this.#end(`More than ${this.#limits.calls} calls to Stripe were to be made.`);
    this.#left--;
  }

  #end(message: string): BudgetSpent {
    const error = new BudgetSpent(message);
    this.#left = 0;
    this.#spent.reject(error);
    return error;
  }
}

type HttpClient = ReturnType<typeof Stripe.createNodeHttpClient>;

/** Takes every request of this client off the budget of the work that makes it; work without one is not counted. */
export function budgeted(client: HttpClient): HttpClient {
  const send = client.makeRequest.bind(client);
  client.makeRequest = async (...request) => {
    current.getStore()?.take();
    return send(...request);
  };
  return client;
}
