import * as functions from '../index.ts';
import { describedCallable, type DescribedCallable } from '../platform/entrance.ts';
import { meterOf, type Cost } from './meter.ts';
import { administrators } from './plays/administrators.ts';
import { coaches } from './plays/coaches.ts';
import { customers } from './plays/customers.ts';
import { openStage, people, type Play, type Plays } from './plays/play.ts';

export const plays: Plays = { ...customers, ...coaches, ...administrators };

/** Every deployed callable, by name. */
export const callables: ReadonlyMap<string, DescribedCallable> = new Map(
  Object.entries(functions).flatMap(([name, exported]) => {
    const found = describedCallable(exported);
    return found ? [[name, found] as const] : [];
  }),
);

export interface Measured {
  /** The call itself. */
  call: Cost;
  /** What Stripe tells of it afterwards. */
  after: Cost;
}

/** Plays a callable once, in a world of its own. */
export async function measure(callable: DescribedCallable, play: Play): Promise<Measured> {
  const stage = await openStage();
  try {
    const meter = meterOf(stage);
    const input = await play.input(stage);
    await meter.hear();
    const call = await meter.of(() => callable.answer(stage.ctx, people[play.as], input));
    await play.then?.(stage, call.result as object);
    return { call, after: await meter.of(() => meter.hear()) };
  } finally {
    await stage.close();
  }
}
