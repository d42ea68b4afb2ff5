import { AsyncLocalStorage } from 'node:async_hooks';

/** The process was stopped at an await: nothing it does from then on has an effect. */
export class Stopped extends Error {}

/** One run of the product's code: a delivery, a task, a sweep, a client's call. */
export interface Process<T = unknown> {
  name: string;
  run: () => Promise<T>;
  /** Which of its awaits it is stopped at: by number, or the first of that name. Left out, it runs to its end. */
  stopAt?: number | string;
}

/** How a process ended. */
export type Ended<T = unknown> =
  | { name: string; end: 'done'; result: T }
  | { name: string; end: 'threw'; error: unknown }
  | { name: string; end: 'stopped'; at: string };

interface Running {
  awaits: number;
  stopAt: number | string;
  stoppedAt: string | undefined;
  waiting: (() => void)[];
}

export interface SchedulerOptions {
  random: () => number;
  /** Called between two steps: lets a little time pass. */
  between?: () => void;
}

/**
 * Runs processes side by side, one step at a time: at every await of the database and of Stripe it decides by its random
 * numbers who goes on. The same numbers give the same order.
 */
export class Scheduler {
  readonly #random: () => number;
  readonly #between: () => void;
  readonly #current = new AsyncLocalStorage<Running>();
  #alone = true;

  constructor({ random, between = () => undefined }: SchedulerOptions) {
    this.#random = random;
    this.#between = between;
  }

  /** Whether a process is running here, and not the test itself. */
  get inProcess(): boolean {
    return this.#current.getStore() !== undefined;
  }

  /** What the product's database and Stripe client call at each await. */
  async pause(at: string): Promise<void> {
    const running = this.#current.getStore();
    if (!running) return;
    const { stopAt } = running;
    const now = typeof stopAt === 'string' ? stopAt === at : running.awaits++ >= stopAt;
    if (now) running.stoppedAt ??= at;
    if (running.stoppedAt !== undefined) throw new Stopped(at);
    if (this.#alone) return;
    await new Promise<void>((resolve) => running.waiting.push(resolve));
  }

  /** Resolves when all have ended. */
  async run<T>(processes: readonly Process<T>[]): Promise<Ended<T>[]> {
    const ended: Ended<T>[] = [];
    const running = processes.map((process) => this.#start(process, ended));
    this.#alone = processes.length <= 1;
    while (ended.length < processes.length) {
      await new Promise(setImmediate);
      this.#alone = processes.length - ended.length <= 1;
      const waiting = running.filter((each) => each.waiting.length > 0);
      const next = waiting[Math.floor(this.#random() * waiting.length)];
      if (!next) continue;
      this.#between();
      next.waiting.splice(Math.floor(this.#random() * next.waiting.length), 1)[0]?.();
    }
    this.#alone = true;
    return ended;
  }

  #start<T>({ name, run, stopAt = Infinity }: Process<T>, ended: Ended<T>[]): Running {
    const running: Running = { awaits: 0, stopAt, stoppedAt: undefined, waiting: [] };
    const end = (how: Ended<T>) =>
      void ended.push(running.stoppedAt === undefined ? how : { name, end: 'stopped', at: running.stoppedAt });
    this.#current.run(running, () => {
      // In its own turn, so that none begins before all are there.
      Promise.resolve()
        .then(run)
        .then(
          (result) => end({ name, end: 'done', result }),
          (error: unknown) => end({ name, end: 'threw', error }),
        );
    });
    return running;
  }
}
