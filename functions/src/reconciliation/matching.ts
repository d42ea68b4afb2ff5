import { days } from '../platform/clock.ts';
import { minor, type Currency } from '../platform/money.ts';
import { listLimit, type Difference } from './reconciliation.ts';

/** Which of a document's accounts the Stripe account speaks of. */
export type Side = 'stripe_platform' | 'stripe_connected';

/** A balance transaction, as much of it as the proof needs. */
export interface Movement {
  id: string;
  /** What moved (`py_…`, `po_…`): documents may name a movement by it, where only the other side was read. */
  sourceId?: string;
  /** Unix milliseconds. */
  createdMs: number;
  netMinor: number;
  currency: Currency;
  /** What Stripe calls it. */
  detail?: string;
}

/** Both names that a document can know it by. */
export const namesOf = ({ id, sourceId }: Pick<Movement, 'id' | 'sourceId'>): string[] =>
  sourceId === undefined ? [id] : [id, sourceId];

/** A ledger document, as much of it as the proof needs. */
export interface Entry {
  id: string;
  /** It sits on another document's balance transaction and explains it together with that document. */
  isCompanion: boolean;
  occurredMs: number;
  currency: Currency;
  /** What it moved on the account in question. */
  amountMinor: number;
  /** Of balance transactions, or of what moved in them. */
  transactionIds: readonly string[];
}

/** Money that belongs together: a document, its fee, their balance transactions. Its sums must be equal. */
interface Group {
  currency: Currency;
  occurredMs: number;
  entryIds: Set<string>;
  transactionIds: string[];
  entriesMinor: number;
  movedMinor: number;
}

export interface Tally {
  /** Net of movements that belong to [from, cut), and of those that belong to the time after. */
  beforeMinor: number;
  afterMinor: number;
  movements: number;
}

/** A document and its balance transactions are never further apart; until then a group may still grow. */
export const apartMs = days(1);

/**
 * Matches the balance transactions of one account with ledger documents, both newest first. A balance transaction belongs
 * to the moment its document occurred (a transfer made a second after midnight belongs to its charge of the day before),
 * so no pair is torn apart by the cut. Only groups of about a day are held at a time. Pure but for its own memory.
 */
export class Matcher {
  readonly tallies = new Map<Currency, Tally>();
  readonly differences: Difference[] = [];
  readonly #account: string;
  readonly #fromMs: number;
  readonly #cutMs: number;
  readonly #waiting = new Map<string, Entry>();
  readonly #byTransaction = new Map<string, Set<string>>();
  readonly #groups = new Map<string, Group>();
  readonly #entries = new Map<string, Entry>();

  constructor(account: string, range: { fromMs: number; cutMs: number }) {
    this.#account = account;
    this.#fromMs = range.fromMs;
    this.#cutMs = range.cutMs;
  }

  /** How many documents and groups are in memory: never more than a few days of them. */
  get held(): number {
    return this.#entries.size + this.#groups.size;
  }

  /** Documents must be known before the movements they explain. */
  addEntry(entry: Entry): void {
    if (this.#entries.has(entry.id)) return;
    this.#entries.set(entry.id, entry);
    this.#waiting.set(entry.id, entry);
    for (const id of entry.transactionIds) {
      const claimers = this.#byTransaction.get(id) ?? new Set();
      this.#byTransaction.set(id, claimers.add(entry.id));
    }
  }

  knows(movement: Pick<Movement, 'id' | 'sourceId'>): boolean {
    return namesOf(movement).some((name) => this.#byTransaction.has(name));
  }

  addMovement(movement: Movement): void {
    const claimerIds = new Set(namesOf(movement).flatMap((name) => [...(this.#byTransaction.get(name) ?? [])]));
    const claimers = [...claimerIds].flatMap((id) => this.#entries.get(id) ?? []);
    const owners = claimers.filter((entry) => !entry.isCompanion);
    const fees = claimers.filter((entry) => entry.isCompanion);
    const owner = owners[0] ?? fees[0];
    const belongsMs = owner?.occurredMs ?? movement.createdMs;
    this.#count(movement, belongsMs);
    if (!this.#inRange(belongsMs)) {
      for (const entry of claimers) this.#waiting.delete(entry.id);
      return;
    }
    if (!owner) {
      this.#report('transaction-unexplained', movement.currency, [movement.id], 0, movement.netMinor, movement.detail);
      return;
    }
    if (owners.length > 1 || fees.length > 1) {
      const ids = [movement.id, ...claimers.map((entry) => entry.id)];
      const claimed = claimers.reduce((total, entry) => total + entry.amountMinor, 0);
      this.#report('transaction-explained-twice', movement.currency, ids, claimed, movement.netMinor);
    }
    this.#grow(owner, claimers, movement);
  }

  /** Everything older than this has been seen: what is complete is compared and let go. */
  settleDownTo(createdMs: number): void {
    for (const [id, group] of this.#groups) {
      if (group.occurredMs > createdMs + apartMs) this.#settleGroup(id, group);
    }
    for (const entry of this.#waiting.values()) {
      if (entry.occurredMs > createdMs + apartMs) this.#settleWaiting(entry);
    }
    for (const [id, entry] of this.#entries) {
      if (entry.occurredMs > createdMs + 2 * apartMs) this.#drop(id, entry);
    }
  }

  finish(): void {
    this.settleDownTo(Number.NEGATIVE_INFINITY);
  }

  #grow(owner: Entry, claimers: readonly Entry[], movement: Movement): void {
    const group = this.#groups.get(owner.id) ?? {
      currency: owner.currency,
      occurredMs: owner.occurredMs,
      entryIds: new Set(),
      transactionIds: [],
      entriesMinor: 0,
      movedMinor: 0,
    };
    this.#groups.set(owner.id, group);
    group.transactionIds.push(movement.id);
    group.movedMinor += movement.netMinor;
    for (const entry of claimers) {
      this.#waiting.delete(entry.id);
      if (group.entryIds.has(entry.id)) continue;
      group.entryIds.add(entry.id);
      group.entriesMinor += entry.amountMinor;
    }
  }

  #settleGroup(id: string, group: Group): void {
    this.#groups.delete(id);
    if (group.entriesMinor === group.movedMinor) return;
    const ids = [...group.entryIds, ...group.transactionIds];
    this.#report('amounts-differ', group.currency, ids, group.entriesMinor, group.movedMinor);
  }

  #settleWaiting(entry: Entry): void {
    this.#waiting.delete(entry.id);
    if (entry.amountMinor === 0 || !this.#inRange(entry.occurredMs)) return;
    this.#report('entry-without-transaction', entry.currency, [entry.id], entry.amountMinor, 0);
  }

  #drop(id: string, entry: Entry): void {
    this.#entries.delete(id);
    for (const transactionId of entry.transactionIds) {
      const claimers = this.#byTransaction.get(transactionId);
      claimers?.delete(id);
      if (claimers?.size === 0) this.#byTransaction.delete(transactionId);
    }
  }

  #inRange(ms: number): boolean {
    return ms >= this.#fromMs && ms < this.#cutMs;
  }

  #count(movement: Movement, belongsMs: number): void {
    const tally = this.tallies.get(movement.currency) ?? { beforeMinor: 0, afterMinor: 0, movements: 0 };
    this.tallies.set(movement.currency, tally);
    if (belongsMs < this.#fromMs) return;
    tally.movements += 1;
    if (belongsMs < this.#cutMs) tally.beforeMinor += movement.netMinor;
    else tally.afterMinor += movement.netMinor;
  }

  #report(
    kind: Difference['kind'],
    currency: Currency,
    ids: string[],
    ledger: number,
    other: number,
    detail?: string,
  ): void {
    // A history that is all wrong must not fill the memory; the rest shows once these are mended.
    if (this.differences.length >= listLimit) return;
    const amounts = { ledgerMinor: minor(ledger), otherMinor: minor(other) };
    const more = detail === undefined ? {} : { detail };
    this.differences.push({ kind, account: this.#account, currency, ids, ...amounts, ...more });
  }
}
