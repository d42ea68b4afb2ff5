import type { Firestore } from 'firebase-admin/firestore';
import { describeConcurrency } from './contract-concurrency.ts';
import { describeQueries } from './contract-queries.ts';
import type { ContractWorld } from './contract-world.ts';
import { describeWrites } from './contract-writes.ts';

/**
 * What the stores rely on in Firestore. The same cases run on the in-memory twin and on the emulator, so that what
 * is proved with the twin holds for the real one. Where the two differ, the twin is wrong.
 * @param makeDb called once; must have `ignoreUndefinedProperties` set.
 */
export function describeFirestoreContract(name: string, makeDb: () => Firestore): void {
  describe(`${name} keeps the Firestore contract`, () => {
    let made: Firestore | undefined;
    let collections = 0;
    const run = `run${Date.now()}x${Math.floor(Math.random() * 1e9)}`;
    const db = (): Firestore => (made ??= makeDb());
    const world: ContractWorld = { db, fresh: () => db().collection(`${run}n${++collections}`) };

    // The emulator takes about two seconds to give up a lock that two transactions want.
    jest.setTimeout(120_000);
    describeWrites(world);
    describeQueries(world);
    describeConcurrency(world);
  });
}
