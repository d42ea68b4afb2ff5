import type Stripe from 'stripe';
import type { Delivery } from '../../../../emulators/stripe/index.ts';
import { hours, minutes } from '../../platform/clock.ts';
import { receiveEvent, type Receipt } from '../../webhooks/webhooks.service.ts';
import type { Ended, Process } from './scheduler.ts';
import type { Stage } from './stage.ts';

interface Letter {
  delivery: Delivery;
  dueMs: number;
}

/** How badly the post works: probabilities. */
export interface PostTrouble {
  lost: number;
  late: number;
  twice: number;
}

export const goodPost: PostTrouble = { lost: 0, late: 0, twice: 0 };

/**
 * Carries Stripe's events to the product: lost, late, twice, in any order. What is not answered with a 2xx is sent again
 * later, as Stripe does. Lost for good is only what the product finds without its event: the platform's own events (Stripe
 * lists those it could not deliver) and payouts (looked up).
 */
export class Post {
  readonly #stage: Stage;
  readonly #random: () => number;
  #letters: Letter[] = [];
  readonly #lost: Letter[] = [];
  trouble: PostTrouble = goodPost;

  constructor(stage: Stage, random: () => number) {
    this.#stage = stage;
    this.#random = random;
  }

  /** Events that are on their way, and those lost no longer ago than that. */
  unheard(lostWithinMs: number): Stripe.Event[] {
    this.collect();
    const since = this.#stage.now().getTime() - lostWithinMs;
    const lost = this.#lost.filter(({ dueMs }) => dueMs >= since);
    return [...this.#letters, ...lost].map(({ delivery }) => this.#eventOf(delivery));
  }

  collect(): void {
    for (const delivery of this.#stage.core.takeDeliveries()) this.#post(delivery);
  }

  /** What is due now, in no order. `all`: what is late, too. */
  due(all = false): Process<Receipt>[] {
    this.collect();
    const nowMs = this.#stage.now().getTime();
    const due = this.#letters.filter(({ dueMs }) => all || dueMs <= nowMs);
    this.#letters = this.#letters.filter((letter) => !due.includes(letter));
    return due.map(({ delivery }) => ({
      name: `event ${delivery.eventType}`,
      run: async () => {
        let receipt: Receipt | undefined;
        try {
          receipt = await receiveEvent(this.#stage.ctx, this.#eventOf(delivery));
          return receipt;
        } finally {
          // In a stopped process Stripe hears nothing, which is the same to it.
          this.#answered(delivery, receipt);
        }
      },
    }));
  }

  #post(delivery: Delivery): void {
    const { lost, late, twice } = this.trouble;
    const nowMs = this.#stage.now().getTime();
    // Few payouts come back, and theirs is the worst event to lose.
    const isPayout = delivery.eventType.startsWith('payout.');
    if ((isPayout || delivery.account === null) && this.#random() < lost * (isPayout ? 4 : 1)) {
      this.#stage.count('post: lost');
      this.#lost.push({ delivery, dueMs: nowMs });
      this.#stage.core.report(delivery.id, 'timeout', true);
      return;
    }
    const isLate = this.#random() < late;
    if (isLate) this.#stage.count('post: late');
    const dueMs = nowMs + (isLate ? minutes(10) + Math.floor(this.#random() * hours(60)) : 0);
    this.#letters.push({ delivery, dueMs });
    if (this.#random() >= twice) return;
    this.#stage.count('post: twice');
    this.#letters.push({
      delivery,
      dueMs: nowMs + (this.#random() < 0.5 ? 0 : Math.floor(this.#random() * hours(30))),
    });
  }

  #answered(delivery: Delivery, receipt: Receipt | undefined): void {
    const taken = receipt !== undefined && receipt !== 'failed';
    this.#stage.core.report(delivery.id, taken ? 200 : 500, false);
    if (taken) return;
    this.#stage.count('post: sent again');
    const dueMs = this.#stage.now().getTime() + minutes(5) + Math.floor(this.#random() * hours(8));
    this.#letters.push({ delivery, dueMs });
  }

  /** As it was when it was made, and nobody's but the receiver's. */
  #eventOf(delivery: Delivery): Stripe.Event {
    const event = this.#stage.core.world.events.get(delivery.eventId);
    if (!event) throw new Error(`The event ${delivery.eventId} is gone.`);
    return structuredClone(event) as unknown as Stripe.Event;
  }
}

export const stopped = (ended: readonly Ended[]): string[] =>
  ended.flatMap((each) => (each.end === 'stopped' ? [each.at] : []));
