import { FAULT_KINDS, startFortnoxEmulator, type FortnoxEmulator } from '../../../../emulators/fortnox/index.ts';
import { makeFault } from '../../../../emulators/stripe/core/faults.ts';
import { postTask } from '../../accounting/accounting.api.ts';
import { retryVoucher, syncBooks, syncByNight } from '../../accounting/accounting.service.ts';
import type { Voucher } from '../../accounting/accounting.ts';
import { postVoucherQueue } from '../../accounting/queue.ts';
import { syncAfterStripe } from '../../accounting/stripe-own/sync.service.ts';
import type { Config } from '../../config.ts';
import type { LedgerDocument } from '../../ledger/ledger.ts';
import { payCoachTask, startRun, type PayTask } from '../../payouts/payouts.service.ts';
import { addDays, days, hours, minutes, startOfBusinessDate, type BusinessDate } from '../../platform/clock.ts';
import { createFortnoxClient } from '../../platform/fortnox/client.ts';
import type { TaskPayloads } from '../../platform/tasks.ts';
import { reconcileAccount } from '../../reconciliation/part.service.ts';
import { startNight } from '../../reconciliation/run.service.ts';
import type { PartTask, Reconciliation } from '../../reconciliation/run.ts';
import { sweepOnce } from '../../reconciliation/sweep.service.ts';
import { seededRandom } from '../random.ts';
import { Market } from '../weeks/market.ts';
import { goodPost, Post } from '../weeks/post.ts';
import type { Ended } from '../weeks/scheduler.ts';
import { openStage, type Queued, type Stage } from '../weeks/stage.ts';
import { fortnoxAway, isWithin, Keepers, stripeAway, wrongInFortnox } from './keepers.ts';
import { lineOf, unexplained, type NightSeen } from './nights.ts';
import { postStopped, script } from './script.ts';
import { Trade } from './trade.ts';

/** Days in which people trade, and the quiet ones in which all must come right. The new year is among them. */
const first: BusinessDate = '2026-11-16';
const tradeDays = 61;
const quietDays = 4;
/** How often a voucher's task meets a fault of Fortnox's, and how often its process dies on the way. */
const faultRate = 0.35;
const deathRate = 0.05;
/** Stripe's post on an ordinary day. */
const usualPost = { lost: 0.02, late: 0.08, twice: 0.08 };

/** A payout that has arrived is looked at every other day, should the event be lost that says that it came back. */
const lostFor = days(2) + hours(12);

/** What the platform's books are kept by. */
export type BooksSettings = Pick<Config, 'accountingProfile' | 'voucherGrouping' | 'stripeFeeVat'>;

export interface Books {
  stage: Stage;
  fortnox: FortnoxEmulator;
  counts: ReadonlyMap<string, number>;
  /** What nobody's doing explains of the nights' proofs, and what ended as nothing may end. */
  wrong: readonly string[];
  /** A line for each night. */
  nights: readonly string[];
}

/** Two months of trade, synced and proven every night, against a Fortnox that fails in every way it can. */
export async function playBooks(seed: number, settings: BooksSettings): Promise<Books> {
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
  stage.ctx.config = { ...stage.ctx.config, ...settings };
  stage.ctx.fortnox = async () => client;
  const months = new Months(stage, fortnox, random);
  await months.play();
  return { stage, fortnox, counts, wrong: months.wrong, nights: months.nights };
}

/** Something to be done at an hour of the clock. */
type Timed = readonly [hour: number, run: () => Promise<unknown>];

class Months {
  readonly wrong: string[] = [];
  readonly nights: string[] = [];
  readonly #stage: Stage;
  readonly #fortnox: FortnoxEmulator;
  readonly #random: () => number;
  readonly #market: Market;
  readonly #trade: Trade;
  readonly #keepers: Keepers;
  readonly #post: Post;
  #day = 0;
  #quiet = false;

  constructor(stage: Stage, fortnox: FortnoxEmulator, random: () => number) {
    this.#stage = stage;
    this.#fortnox = fortnox;
    this.#random = random;
    this.#market = new Market(stage, random);
    this.#trade = new Trade(stage, this.#market);
    // Of the fees, under one profile; of the sales, under the others.
    const inactive = stage.ctx.config.accountingProfile === 'specification' ? 3921 : 3001;
    this.#keepers = new Keepers(fortnox, first, inactive);
    this.#post = new Post(stage, random);
    this.#post.trouble = usualPost;
  }

  async play(): Promise<void> {
    await this.#market.open();
    await this.#trade.open();
    for (; this.#day < tradeDays; this.#day++) await this.#playDay();
    this.#quiet = true;
    this.#market.close();
    this.#post.trouble = goodPost;
    await this.#market.mend();
    for (; this.#day < tradeDays + quietDays; this.#day++) await this.#playDay();
    await syncBooks(this.#stage.ctx, this.#stage.now());
    await this.#work();
    await this.#moment(5, () => this.#prove());
  }

  async #playDay(): Promise<void> {
    const { ctx } = this.#stage;
    const now = (hour: number) => this.#at(hour);
    this.#keepers.morning(this.#day);
    if (this.#day === wrongInFortnox.inactive[1]) await this.#retryRejected();
    const deeds = script
      .filter(({ day }) => day === this.#day)
      .map(({ hour, act }): Timed => [hour, () => this.#must(act)]);
    const hoursOfDay: Timed[] = [
      [2, () => syncAfterStripe(ctx, () => syncByNight(ctx, now(2)))],
      ...[3, 15, 21].map((hour): Timed => [hour, () => sweepOnce(ctx, this.#stage.now())]),
      [4, async () => this.#keepers.beforeProof(this.#day)],
      [5, () => this.#prove()],
      [7, () => this.#market.fund()],
      [8, () => startRun(ctx, now(8))],
      ...(this.#quiet ? [] : [this.#market, this.#trade]).map((who, n): Timed => [10 + n, () => this.#step(who)]),
      ...deeds,
    ];
    for (const [hour, run] of hoursOfDay.sort(([a], [b]) => a - b)) await this.#moment(hour, run);
  }

  /** What somebody of the market, or of the members, does. */
  async #step(who: Market | Trade): Promise<void> {
    const process = await who.step();
    if (process) this.#note(await this.#stage.scheduler.run([process]));
  }

  /** A deed of the script, which nothing may refuse. */
  async #must(act: (trade: Trade) => Promise<unknown>): Promise<void> {
    try {
      await act(this.#trade);
    } catch (error) {
      this.wrong.push(`the script on day ${this.#day}: ${String(error)}`);
    }
  }

  #at(hour: number): Date {
    return new Date(startOfBusinessDate(addDays(first, this.#day)).getTime() + hours(hour));
  }

  async #moment(hour: number, run: () => Promise<unknown>): Promise<void> {
    this.#stage.advanceTo(this.#at(hour));
    await this.#work();
    await run();
    await this.#work();
  }

  /** In a process of its own: what it throws is its caller's, but for what shows a mistake of ours. */
  #note(ended: readonly Ended[]): void {
    for (const each of ended) {
      if (each.end !== 'threw') continue;
      const { error } = each;
      const isBug = [TypeError, RangeError, ReferenceError].some((kind) => error instanceof kind);
      if (isBug) this.wrong.push(`${each.name} on day ${this.#day}: ${String(error)}`);
    }
  }

  /** Events are heard and tasks done, until there are none. */
  async #work(): Promise<void> {
    for (;;) {
      const heard = this.#isDeaf() ? [] : this.#post.due(this.#quiet);
      for (const event of heard) await this.#stage.scheduler.run([event]);
      const tasks = this.#stage.queue.splice(0);
      for (const task of tasks) await this.#task(task);
      if (heard.length === 0 && tasks.length === 0) return;
    }
  }

  #isDeaf(): boolean {
    const { from, until } = postStopped;
    const hour = (this.#stage.now().getTime() - startOfBusinessDate(first).getTime()) / hours(1);
    return hour >= from.day * 24 + from.hour && hour < until.day * 24 + until.hour;
  }

  async #prove(): Promise<void> {
    const { ctx, core } = this.#stage;
    const fault = makeFault('night', { kind: 'error_500_before', path: '/v1/balance', times: 1_000 });
    if (this.#day === stripeAway && typeof fault !== 'string') core.world.faults = [fault];
    const unheard = this.#post.unheard(lostFor);
    await startNight(ctx, this.#stage.now());
    await this.#work();
    core.world.faults = [];
    await this.#look(unheard);
  }

  async #look(unheard: NightSeen['unheard']): Promise<void> {
    const night = (await this.#stage.all<Reconciliation>('reconciliations')).at(-1);
    if (!night) throw new Error('There is no proof.');
    const seen: NightSeen = {
      day: this.#day,
      night,
      unheard,
      tenant: this.#trade.accountOf('store'),
      loose: this.#trade.loose,
      ledger: await this.#stage.all<LedgerDocument>('ledger'),
      vouchers: await this.#stage.all<Voucher>('vouchers'),
      inFortnox: this.#fortnox.core.state().vouchers,
      keepers: this.#keepers,
      stage: this.#stage,
    };
    this.nights.push(lineOf(seen));
    this.wrong.push(...unexplained(seen));
  }

  async #task(task: Queued): Promise<void> {
    const { scheduler } = this.#stage;
    this.#pass(1_000 / postVoucherQueue.rateLimits.maxDispatchesPerSecond);
    const troubled = task.name === 'postVoucher' && !this.#quiet;
    if (troubled) this.#strike();
    if (task.name === 'reconcileCoach' && this.#day === fortnoxAway) this.#fault('error_500_before', 'GET', 1_000);
    // Whoever dies just after a refusal asks again and is told why: the night of refusals needs one who lives.
    const dies = troubled && !isWithin(this.#day, wrongInFortnox.inactive) && this.#random() < deathRate;
    const process = { name: task.name, run: () => this.#run(task) };
    const [ended] = await scheduler.run([dies ? { ...process, stopAt: this.#market.below(8) } : process]);
    this.#fortnox.core.state().faults = [];
    if (!ended || ended.end === 'done') return;
    this.#note([ended]);
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
    this.#fault(kind, method, this.#market.pick([1, 1, 2, 5]));
    this.#stage.count(`fortnox: ${kind}`);
  }

  #fault(kind: (typeof FAULT_KINDS)[number], method: string, times: number): void {
    this.#fortnox.core.state().faults = [{ id: 1, kind, method, times, delayMs: 0 }];
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
