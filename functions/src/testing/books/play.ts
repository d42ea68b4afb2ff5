import { FAULT_KINDS, startFortnoxEmulator, type FortnoxEmulator } from '../../../../emulators/fortnox/index.ts';
import { postTask } from '../../accounting/accounting.api.ts';
import { retryVoucher, syncBooks, syncByNight } from '../../accounting/accounting.service.ts';
import type { Voucher } from '../../accounting/accounting.ts';
import { postVoucherQueue } from '../../accounting/queue.ts';
import type { Config } from '../../config.ts';
import { payCoachTask, startRun, type PayTask } from '../../payouts/payouts.service.ts';
import { addDays, hours, minutes, startOfBusinessDate, type BusinessDate } from '../../platform/clock.ts';
import { createFortnoxClient } from '../../platform/fortnox/client.ts';
import type { TaskPayloads } from '../../platform/tasks.ts';
import { reconcileAccount } from '../../reconciliation/part.service.ts';
import { startNight } from '../../reconciliation/run.service.ts';
import type { PartTask } from '../../reconciliation/run.ts';
import { sweepOnce } from '../../reconciliation/sweep.service.ts';
import { seededRandom } from '../random.ts';
import { Market } from '../weeks/market.ts';
import { goodPost, Post } from '../weeks/post.ts';
import { openStage, type Queued, type Stage } from '../weeks/stage.ts';

/** Days in which people trade, and the quiet ones in which all must come right. The new year is among them. */
const first: BusinessDate = '2026-11-16';
const tradeDays = 61;
const quietDays = 4;
/** How often a voucher's task meets a fault of Fortnox's, and how often its process dies on the way. */
const faultRate = 0.35;
const deathRate = 0.05;

/** What is wrong in Fortnox itself, from a day of trade until another, when a person mends it. */
const lockedDays = [8, 12] as const;
const inactiveDays = [20, 25] as const;
const inactiveAccount = 3921;
/** The new year's first days: nobody has created it yet. */
const yearCreatedOn = 52;

export interface Books {
  stage: Stage;
  fortnox: FortnoxEmulator;
  counts: ReadonlyMap<string, number>;
}

/** Two months of trade, synced every night against a Fortnox that fails in every way it can. */
export async function playBooks(seed: number, voucherGrouping: Config['voucherGrouping']): Promise<Books> {
  const counts = new Map<string, number>();
  const random = seededRandom(seed);
  const count = (what: string) => void counts.set(what, (counts.get(what) ?? 0) + 1);
  const switches = { cardFundsDelaySeconds: 2 * 86_400, disputeAfterSeconds: 86_400 };
  const stage = openStage({ start: new Date(startOfBusinessDate(first)), seed, random, count, switches });
  const fortnox = await startFortnoxEmulator({ clock: () => stage.now().getTime() });
  const client = createFortnoxClient({
    apiBase: fortnox.url,
    clientId: 'fortnox-emulator-client',
    clientSecret: 'fortnox-emulator-secret',
    tenantId: stage.ctx.config.fortnoxTenantId,
    now: () => stage.now(),
    sleep: async (ms) => stage.advanceTo(new Date(stage.now().getTime() + ms)),
  });
  stage.ctx.config = { ...stage.ctx.config, voucherGrouping };
  stage.ctx.fortnox = async () => client;
  const months = new Months(stage, fortnox, random);
  await months.play();
  return { stage, fortnox, counts };
}

class Months {
  readonly #stage: Stage;
  readonly #fortnox: FortnoxEmulator;
  readonly #random: () => number;
  readonly #market: Market;
  readonly #post: Post;
  #quiet = false;

  constructor(stage: Stage, fortnox: FortnoxEmulator, random: () => number) {
    this.#stage = stage;
    this.#fortnox = fortnox;
    this.#random = random;
    this.#market = new Market(stage, random);
    this.#post = new Post(stage, random);
    this.#post.trouble = goodPost;
  }

  async play(): Promise<void> {
    await this.#market.open();
    for (let day = 0; day < tradeDays; day++) {
      await this.#registers(day);
      await this.#day(day);
    }
    this.#quiet = true;
    this.#market.close();
    await this.#market.mend();
    for (let day = tradeDays; day < tradeDays + quietDays; day++) await this.#day(day);
    await syncBooks(this.#stage.ctx, this.#stage.now());
    await this.#work();
    const proof = this.#at(tradeDays + quietDays, 5);
    await this.#moment(proof, () => startNight(this.#stage.ctx, proof));
  }

  async #day(day: number): Promise<void> {
    const { ctx } = this.#stage;
    const at = (hour: number) => this.#at(day, hour);
    const sweep = () => sweepOnce(ctx, this.#stage.now());
    await this.#moment(at(2), () => syncByNight(ctx, at(2)));
    await this.#moment(at(3), sweep);
    await this.#moment(at(8), () => startRun(ctx, at(8)));
    for (let step = 0; step < 4 && !this.#quiet; step++) {
      const process = await this.#market.step();
      if (process) await this.#moment(at(10 + step), process.run);
    }
    for (const hour of [15, 18, 21]) await this.#moment(at(hour), sweep);
  }

  #at(day: number, hour: number): Date {
    return new Date(startOfBusinessDate(addDays(first, day)).getTime() + hours(hour));
  }

  /** In a process of its own: what it throws is its caller's. */
  async #moment(at: Date, run: () => Promise<unknown>): Promise<void> {
    this.#stage.advanceTo(at);
    await this.#work();
    await this.#stage.scheduler.run([{ name: 'deed', run }]);
    await this.#work();
  }

  /** Events are heard and tasks done, until there are none. */
  async #work(): Promise<void> {
    for (;;) {
      const heard = this.#post.due(true);
      for (const event of heard) await this.#stage.scheduler.run([event]);
      const tasks = this.#stage.queue.splice(0);
      for (const task of tasks) await this.#task(task);
      if (heard.length === 0 && tasks.length === 0) return;
    }
  }

  async #task(task: Queued): Promise<void> {
    const { scheduler } = this.#stage;
    const isVoucher = task.name === 'postVoucher';
    this.#pass(1_000 / postVoucherQueue.rateLimits.maxDispatchesPerSecond);
    if (isVoucher && !this.#quiet) this.#strike();
    const dies = isVoucher && !this.#quiet && this.#random() < deathRate;
    const process = { name: task.name, run: () => this.#run(task) };
    const [ended] = await scheduler.run([dies ? { ...process, stopAt: this.#market.below(8) } : process]);
    this.#fortnox.core.state().faults = [];
    if (!ended || ended.end === 'done') return;
    this.#stage.count(`${task.name} ${ended.end}`);
    if (++task.failed >= postVoucherQueue.retryConfig.maxAttempts) return;
    this.#pass(minutes(0.5));
    this.#stage.queue.push(task);
  }

  async #run({ name, payload, failed }: Queued): Promise<unknown> {
    const { ctx } = this.#stage;
    if (name === 'postVoucher') return postTask(ctx, payload as TaskPayloads['postVoucher'], failed);
    if (name === 'payCoach') return payCoachTask(ctx, payload as PayTask, false);
    return reconcileAccount(ctx, payload as PartTask, true);
  }

  #pass(milliseconds: number): void {
    this.#stage.advanceTo(new Date(this.#stage.now().getTime() + Math.ceil(milliseconds / 1_000) * 1_000));
  }

  #strike(): void {
    if (this.#random() >= faultRate) return;
    const kind = this.#market.pick(FAULT_KINDS);
    const method = this.#random() < 0.8 ? 'POST' : 'GET';
    // More than the client itself tries.
    const times = this.#market.pick([1, 1, 2, 5]);
    this.#fortnox.core.state().faults = [{ id: 1, kind, method, times, delayMs: 0 }];
    this.#stage.count(`fortnox: ${kind}`);
  }

  /** What people do, leave undone and mend in Fortnox. */
  async #registers(day: number): Promise<void> {
    const state = this.#fortnox.core.state();
    if (day === lockedDays[0]) state.lockedPeriod = addDays(first, lockedDays[1]);
    if (day === lockedDays[1]) state.lockedPeriod = null;
    const accounts = Object.values(state.books).flatMap((book) => book.accounts[inactiveAccount] ?? []);
    if (day === inactiveDays[0]) for (const account of accounts) account.active = false;
    if (day === inactiveDays[1]) {
      for (const account of accounts) account.active = true;
      await this.#retryRejected();
    }
    const next = { id: 3, from: '2027-01-01', to: '2027-12-31' };
    if (day === 0) state.years = state.years.filter(({ id }) => id < next.id);
    if (day === yearCreatedOn) state.years = [...state.years, next];
  }

  async #retryRejected(): Promise<void> {
    const { ctx } = this.#stage;
    for (const { id, state } of await this.#stage.all<Voucher>('vouchers')) {
      if (state !== 'rejected') continue;
      this.#stage.count('voucher rejected');
      await retryVoucher(ctx, id, ctx.clock.now());
    }
  }
}
