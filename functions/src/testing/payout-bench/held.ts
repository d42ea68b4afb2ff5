import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * What the product holds of what it has read. Both emulated worlds live in this process and grow with the coaches, so the
 * process's memory says nothing of the product: every document handed to it is watched, and those that a collection of
 * garbage leaves are what it still holds.
 */
export interface Held {
  watch: (data: object) => void;
  /** Documents still held after a collection of garbage, and bytes of the whole heap. */
  look: () => Promise<{ documents: number; heapBytes: number }>;
}

export function heldByProduct(): Held {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let watched: WeakRef<object>[] = [];
  return {
    watch: (data) => void watched.push(new WeakRef(data)),
    async look() {
      // A weak reference lets go at the end of a turn of the event loop.
      await new Promise((turned) => setImmediate(turned));
      collect();
      watched = watched.filter((reference) => reference.deref() !== undefined);
      return { documents: watched.length, heapBytes: process.memoryUsage().heapUsed };
    },
  };
}
