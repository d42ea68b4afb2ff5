import { startFortnoxEmulator, type FortnoxEmulator } from '../../../../emulators/fortnox/index.ts';
import { syncBooks } from '../../accounting/accounting.service.ts';
import { postOne } from '../../accounting/posting.service.ts';
import type { Flag } from '../../admin/flags.ts';
import { processPayment } from '../../payments/payments.service.ts';
import { payCoachTask, startRun, type PayTask } from '../../payouts/payouts.service.ts';
import { addDays, hours, startOfBusinessDate, type BusinessDate } from '../../platform/clock.ts';
import { createFortnoxClient } from '../../platform/fortnox/client.ts';
import type { TaskPayloads } from '../../platform/tasks.ts';
import { reconcileAccount } from '../../reconciliation/part.service.ts';
import { startNight } from '../../reconciliation/run.service.ts';
import type { PartTask, Reconciliation } from '../../reconciliation/run.ts';
import { sweepOnce } from '../../reconciliation/sweep.service.ts';
import { seededRandom } from '../random.ts';
import { goodPost, Post } from './post.ts';
import { openStage, type Stage } from './stage.ts';

/** What people do on a day, at an hour of it. */
export interface Deed {
  on: BusinessDate;
  /** Of the clock in Stockholm; noon, when not named. */
  at?: number;
  act: (months: Months) => Promise<unknown>;
}

/** Months of a marketplace by its own timetable: books at 02:00, proof at 05:00, payouts at 08:00, the sweep in between. */
export class Months {
  readonly stage: Stage;
  readonly fortnox: FortnoxEmulator;
  readonly proofs: Reconciliation[] = [];
  readonly #post: Post;
  #requests = 0;

  static async open(start: BusinessDate): Promise<Months> {
    const random = seededRandom(1);
    const stage = openStage({ start: startOfBusinessDate(start), seed: 1, random, count: () => undefined });
    const fortnox = await startFortnoxEmulator({ clock: () => stage.now().getTime() });
    return new Months(stage, fortnox, new Post(stage, random));
  }

  private constructor(stage: Stage, fortnox: FortnoxEmulator, post: Post) {
    this.stage = stage;
    this.fortnox = fortnox;
    this.#post = post;
    post.trouble = goodPost;
    const client = createFortnoxClient({
      apiBase: fortnox.url,
      clientId: 'fortnox-emulator-client',
      clientSecret: 'fortnox-emulator-secret',
      tenantId: stage.ctx.config.fortnoxTenantId,
      now: () => stage.now(),
    });
    stage.ctx.fortnox = async () => client;
  }

  /** Each day from the first through the last, with what people do then. */
  async play(from: BusinessDate, through: BusinessDate, deeds: readonly Deed[]): Promise<void> {
    for (let day = from; day <= through; day = addDays(day, 1)) {
      const own = deeds.filter(({ on }) => on === day).map(({ at = 12, act }) => ({ at, act: () => act(this) }));
      const hoursOfDay = [...this.#timetable(day), ...own].sort((a, b) => a.at - b.at);
      for (const { at, act } of hoursOfDay) await this.#moment(day, at, act);
    }
  }

  requestId(): string {
    return `request-${++this.#requests}`;
  }

  async sell(productId: string, paymentMethodId = 'pm_card_bypassPending'): Promise<string> {
    const lisa = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };
    const input = { productId, requestId: this.requestId(), paymentMethodId };
    return (await processPayment(this.stage.ctx, lisa, input)).paymentId;
  }

  async openFlags(): Promise<string[]> {
    return (await this.stage.all<Flag>('flags')).filter(({ status }) => status === 'open').map(({ kind }) => kind);
  }

  #timetable(day: BusinessDate): { at: number; act: () => Promise<unknown> }[] {
    const { ctx } = this.stage;
    const sweep = () => sweepOnce(ctx, this.stage.now());
    return [
      { at: 2, act: () => syncBooks(ctx, hour(day, 2)) },
      { at: 5, act: () => startNight(ctx, hour(day, 5)) },
      { at: 5.5, act: () => this.#readProof(day) },
      { at: 8, act: () => startRun(ctx, hour(day, 8)) },
      ...[0.5, 6, 10, 15, 21].map((at) => ({ at, act: sweep })),
    ];
  }

  async #readProof(day: BusinessDate): Promise<void> {
    this.proofs.push((await this.stage.ctx.db.doc(`reconciliations/${day}`).get()).data() as Reconciliation);
  }

  async #moment(day: BusinessDate, at: number, act: () => Promise<unknown>): Promise<void> {
    this.stage.advanceTo(hour(day, at));
    await this.#quiet();
    await act();
    await this.#quiet();
  }

  /** Events are heard and tasks done before anything else happens. */
  async #quiet(): Promise<void> {
    for (;;) {
      const heard = this.#post.due(true);
      await this.stage.scheduler.run(heard);
      const tasks = this.stage.queue.splice(0);
      for (const { name, payload } of tasks) {
        // The queue of vouchers lets one through a second.
        this.stage.advanceTo(new Date(this.stage.now().getTime() + 1_000));
        if (name === 'payCoach') await payCoachTask(this.stage.ctx, payload as PayTask, false);
        else if (name === 'reconcileCoach') await reconcileAccount(this.stage.ctx, payload as PartTask, true);
        else await postOne(this.stage.ctx, (payload as TaskPayloads['postVoucher']).voucherId);
      }
      if (heard.length === 0 && tasks.length === 0) return;
    }
  }
}

/** That hour of the clock in Stockholm. */
const hour = (day: BusinessDate, at: number): Date => {
  const start = startOfBusinessDate(day).getTime();
  const length = startOfBusinessDate(addDays(day, 1)).getTime() - start;
  // On a summer-time night the clock jumps at two.
  const jump = at >= 3 ? length - hours(24) : 0;
  return new Date(start + jump + hours(at));
};
