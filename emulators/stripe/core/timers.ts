import type { BillingJob } from './billing-book.ts';
import type { PaymentsJob } from './payments-book.ts';

/** What happens by itself when the clock passes a moment. Plain data: the core looks the kind up when it is due. */
export interface Timer {
  /** Unix seconds. */
  at: number;
  kind:
    | 'funds_available'
    | 'charge_settles'
    | 'payout_in_transit'
    | 'payout_arrives'
    | 'payout_bounces'
    | BillingJob
    | PaymentsJob
    | 'account_verified'
    | 'account_deadline'
    | 'payout_schedule';
  account: string;
  id: string;
}

/** A heap of timers by time, then by the order they were set. */
export class Timers {
  readonly #heap: { timer: Timer; seq: number }[] = [];
  #seq = 0;

  get size(): number {
    return this.#heap.length;
  }

  add(timer: Timer): void {
    const heap = this.#heap;
    let i = heap.push({ timer, seq: this.#seq++ }) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#before(i, parent)) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  /** The earliest timer not after `now`, taken off; undefined when none is due. */
  takeDue(now: number): Timer | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (!first || first.timer.at > now) return undefined;
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      let i = 0;
      for (;;) {
        const left = 2 * i + 1;
        const right = left + 1;
        let least = i;
        if (left < heap.length && this.#before(left, least)) least = left;
        if (right < heap.length && this.#before(right, least)) least = right;
        if (least === i) break;
        this.#swap(i, least);
        i = least;
      }
    }
    return first.timer;
  }

  list(): Timer[] {
    return this.#heap.map((entry) => entry.timer).sort((a, b) => a.at - b.at);
  }

  #before(a: number, b: number): boolean {
    const x = this.#heap[a]!;
    const y = this.#heap[b]!;
    return x.timer.at < y.timer.at || (x.timer.at === y.timer.at && x.seq < y.seq);
  }

  #swap(a: number, b: number): void {
    const x = this.#heap[a]!;
    this.#heap[a] = this.#heap[b]!;
    this.#heap[b] = x;
  }
}
