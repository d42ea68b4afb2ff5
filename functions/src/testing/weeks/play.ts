import { addDays, hours, minutes, startOfBusinessDate, type BusinessDate } from '../../platform/clock.ts';
import { isBankingDay } from '../../payouts/calendar.ts';
import { payCoachTask, startRun, type PayTask } from '../../payouts/payouts.service.ts';
import { sweepOnce } from '../../reconciliation/sweep.service.ts';
import { recoverForgotten } from '../../webhooks/recovery.service.ts';
import { seededRandom, shuffle } from '../random.ts';
import { Market } from './market.ts';
import { goodPost, Post } from './post.ts';
import { Stopped, type Ended, type Process } from './scheduler.ts';
import { openStage, type Queued, type Stage } from './stage.ts';

/** Deliveries of one task before the queue gives up. */
const maxAttempts = 5;
/** Rounds in which all that the product still has to do for one moment must come to an end. */
const maxRounds = 30;
/** Banking days after the last trouble: unclear outcomes, refused take-backs, returned payouts, pending money, disputes. */
const daysToSettle = 9;

const payStops = ['before POST payouts', 'after POST payouts', 'transaction.commit', 'after transaction.commit'];

/** Where a stop hurts most: money has moved and nobody has written it down, or it is written down and has not moved. */
const worstStops: Readonly<Record<string, readonly string[]>> = {
  task: payStops,
  'payout by hand': payStops,
  'payout of the platform': payStops,
  refund: ['before POST refunds', 'after POST refunds', 'after POST transfers'],
  session: ['after transaction.commit', 'after POST transfers', 'after POST refunds'],
  run: ['enqueue', 'create'],
  sweep: ['after POST payouts', 'after POST transfers', 'after POST refunds', 'after transaction.commit'],
};

export interface Played {
  stage: Stage;
  market: Market;
  /** What no process may end with, whatever was done to it. */
  surprises: string[];
}

/** One or two weeks of a small marketplace under every kind of trouble, and the quiet days in which it must come right. */
export async function playWeeks(seed: number, count: (what: string) => void): Promise<Played> {
  const weeks = new Weeks(seed, count);
  await weeks.play();
  await weeks.settle();
  return weeks;
}

class Weeks implements Played {
  readonly stage: Stage;
  readonly market: Market;
  readonly surprises: string[] = [];
  readonly #random: () => number;
  readonly #post: Post;
  #day: BusinessDate;
  #settling = false;

  constructor(seed: number, count: (what: string) => void) {
    const random = seededRandom(seed);
    this.#random = random;
    this.#day = addDays('2026-01-01', Math.floor(random() * 365));
    const switches = {
      cardFundsDelaySeconds: 2 * 86_400,
      payoutInTransitAfterSeconds: 3_600 + Math.floor(random() * 8 * 3_600),
      chargeBalanceTransactionDelaySeconds: random() < 0.25 ? 1 + Math.floor(random() * 3_600) : 0,
      disputeAfterSeconds: Math.floor(random() * 4 * 86_400),
      idempotencyKeysPerAccount: random() < 0.5,
    };
    this.stage = openStage({ start: at(this.#day, 7), seed, random, count, switches });
    this.#post = new Post(this.stage, random);
    this.market = new Market(this.stage, random);
  }

  async play(): Promise<void> {
    await this.market.open();
    this.#post.trouble = { lost: 0.04, late: 0.12, twice: 0.12 };
    this.stage.trouble = 0.05;
    const days = this.#random() < 0.8 ? 7 : 14;
    for (let day = 1; day <= days; day++) {
      await this.#moment(at(this.#day, 8), this.#runs());
      const steps = await this.#steps(2 + Math.floor(this.#random() * 4));
      await this.#moment(at(this.#day, 10 + this.#random() * 10), steps);
      this.#day = addDays(this.#day, 1);
    }
  }

  /** No more trouble: events that are still on their way arrive, sweeps go round, days pass. */
  async settle(): Promise<void> {
    this.#settling = true;
    this.#post.trouble = goodPost;
    this.stage.trouble = 0;
    this.stage.core.world.faults = [];
    this.market.close();
    await this.market.mend();
    // As every night does.
    await recoverForgotten(this.stage.ctx, this.stage.now());
    for (let day = 1; day <= daysToSettle; day++) {
      this.stage.advanceTo(at(this.#day, 8));
      await this.market.fund();
      await this.#quiet();
      await this.#play(this.#runs());
      await this.#quiet();
      this.stage.advanceTo(at(this.#day, 10));
      await this.#play([this.#sweep()]);
      await this.#quiet();
      this.#day = addDays(this.#day, 1);
    }
    await this.#lastRun();
  }

  /** On the next day with a run, and nothing after it: what it says of each coach is how it is. */
  async #lastRun(): Promise<void> {
    while (!isBankingDay(this.#day)) this.#day = addDays(this.#day, 1);
    this.stage.advanceTo(at(this.#day, 8));
    await this.#quiet();
    await this.#play([this.#sweep()]);
    await this.#quiet();
    await this.#play(this.#runs());
    await this.#quiet();
  }

  /** Events and tasks until there are none. */
  async #quiet(): Promise<void> {
    for (let round = 1; round <= maxRounds; round++) {
      const rest = [...this.#post.due(true), ...this.#tasks()];
      if (rest.length === 0) return;
      await this.#play(rest);
    }
    this.surprises.push(`events or tasks are still there after ${maxRounds} rounds`);
  }

  async #moment(time: Date, first: Process[]): Promise<void> {
    this.stage.advanceTo(time);
    await this.#wave(first);
    this.stage.advanceTo(new Date(this.stage.now().getTime() + minutes(1) + this.#random() * hours(1)));
    await this.#wave(this.#random() < 0.4 ? [this.#sweep()] : []);
  }

  /** All that is to be done now, in any order, a few side by side, some of them stopped in the middle. */
  async #wave(first: Process[]): Promise<void> {
    const all = shuffle([...first, ...this.#post.due(), ...this.#tasks()], this.#random);
    while (all.length > 0) await this.#play(all.splice(0, 1 + Math.floor(this.#random() * 5)));
  }

  async #play(processes: Process[]): Promise<Ended[]> {
    if (processes.length > 1) this.stage.count('side by side');
    const some = processes.map((process) => this.#doomed(process));
    const ended = await this.stage.scheduler.run(some);
    for (const each of ended) this.#note(each, processes);
    return ended;
  }

  #doomed(process: Process): Process {
    const where = worstStops[process.name];
    const pays = where === payStops;
    if (this.#settling || this.#random() > (pays ? 0.4 : 0.15)) return process;
    const stopAt = where && this.#random() < 0.5 ? this.market.pick(where) : Math.floor(this.#random() ** 2 * 80);
    return { ...process, stopAt };
  }

  #note(each: Ended, processes: readonly Process[]): void {
    const kind = each.name.split(' ')[0] ?? '';
    if (each.end === 'stopped') {
      this.stage.count(`stopped: ${kind}`);
      this.stage.count(`stopped at: ${each.at}`);
      const process = processes.find(({ name }) => name === each.name);
      if (process && ['sale', 'refund', 'payout', 'session'].includes(kind)) this.market.asked(process);
    }
    if (each.end !== 'threw') return;
    const { error } = each;
    const name = error instanceof Error ? error.name : typeof error;
    this.stage.count(`threw: ${kind}: ${name}`);
    const bug = [TypeError, RangeError, ReferenceError, Stopped].some((kind) => error instanceof kind);
    if (bug || (this.#settling && kind !== 'task')) this.surprises.push(`${each.name} threw ${String(error)}`);
  }

  #runs(): Process[] {
    const scheduled = at(this.#day, 8);
    const run = { name: 'run', run: () => startRun(this.stage.ctx, scheduled) };
    if (this.#settling || this.#random() > 0.25) return [run];
    this.stage.count('run twice');
    return [run, { ...run }];
  }

  #sweep(): Process {
    this.stage.count('sweep');
    return {
      name: 'sweep',
      run: async () => {
        try {
          await sweepOnce(this.stage.ctx, this.stage.now());
        } catch (error) {
          if (this.#settling) throw error;
        }
      },
    };
  }

  /** What is queued, delivered once or twice; what fails is queued again until the queue gives up. */
  #tasks(): Process[] {
    return this.stage.queue.splice(0).flatMap((task) => {
      const process = this.#task(task);
      if (this.#settling || this.#random() > 0.25) return [process];
      this.stage.count('task twice');
      return [process, { ...process }];
    });
  }

  #task(task: Queued): Process {
    const { ctx, queue } = this.stage;
    return {
      name: 'task',
      run: async () => {
        let done = false;
        try {
          await payCoachTask(ctx, task.payload as PayTask, task.failed >= maxAttempts - 1);
          done = true;
        } finally {
          if (!done && task.failed < maxAttempts - 1 && !queue.includes(task)) {
            task.failed++;
            queue.push(task);
          }
        }
      },
    };
  }

  async #steps(wanted: number): Promise<Process[]> {
    const steps: Process[] = [];
    for (let n = 0; n < wanted; n++) {
      const step = await this.market.step();
      if (step) steps.push(step);
    }
    return steps;
  }
}

/** So many hours into the day in Stockholm: that hour of the clock on all but two days a year. */
const at = (date: BusinessDate, hour: number): Date => new Date(startOfBusinessDate(date).getTime() + hours(hour));
