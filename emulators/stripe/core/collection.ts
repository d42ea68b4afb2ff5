import type { StripeObject } from './wire.ts';

/** Where an object of any kind is found by its id. */
export type Index = Map<string, Collection<StripeObject>>;

/**
 * Objects of one kind in the order they were made. The objects are never changed in place: an update stores a new one,
 * so that an event's snapshot is simply the object as it was.
 */
export class Collection<T extends StripeObject> {
  readonly #items = new Map<string, T>();
  readonly #order: string[] = [];
  readonly #position = new Map<string, number>();
  readonly #groups = new Map<string, string[]>();
  readonly #groupBy: ((item: T) => string | null) | undefined;
  readonly #index: Index;

  /** `groupBy` names a fixed property of the objects that lists are often filtered by. */
  constructor(index: Index, groupBy?: (item: T) => string | null) {
    this.#index = index;
    this.#groupBy = groupBy;
  }

  get size(): number {
    return this.#items.size;
  }

  get(id: string): T | undefined {
    return this.#items.get(id);
  }

  add(item: T): T {
    this.#items.set(item.id, item);
    this.#position.set(item.id, this.#order.length);
    this.#order.push(item.id);
    this.#index.set(item.id, this as unknown as Collection<StripeObject>);
    const group = this.#groupBy?.(item);
    if (typeof group === 'string') {
      const ids = this.#groups.get(group);
      if (ids) ids.push(item.id);
      else this.#groups.set(group, [item.id]);
    }
    return item;
  }

  /** Stores the next version of an object. */
  put(item: T): T {
    if (!this.#items.has(item.id)) throw new Error(`put of an unknown object ${item.id}`);
    this.#items.set(item.id, item);
    return item;
  }

  update(id: string, patch: Partial<T>): T {
    const before = this.#items.get(id);
    if (!before) throw new Error(`update of an unknown object ${id}`);
    return this.put({ ...before, ...patch });
  }

  delete(id: string): void {
    this.#items.delete(id);
    this.#index.delete(id);
  }

  /** Where the object stands in the order of creation; undefined for one never made here. */
  positionOf(id: string): number | undefined {
    return this.#position.get(id);
  }

  /** Newest first, from just below `before` (a position), or oldest first from just above `after`. */
  *walk(from: { below?: number; above?: number; group?: string | undefined } = {}): Generator<T> {
    const order = from.group === undefined ? this.#order : (this.#groups.get(from.group) ?? []);
    if (from.above !== undefined) {
      for (const id of order) {
        const item = this.#items.get(id);
        if (item && (this.#position.get(id) ?? 0) > from.above) yield item;
      }
      return;
    }
    for (let i = order.length - 1; i >= 0; i--) {
      const id = order[i]!;
      const item = this.#items.get(id);
      if (item && (from.below === undefined || (this.#position.get(id) ?? 0) < from.below)) yield item;
    }
  }

  /** Oldest first. */
  values(): T[] {
    return [...this.#items.values()];
  }
}
