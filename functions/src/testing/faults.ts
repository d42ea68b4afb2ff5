import { openRoad, type Road } from './road.ts';

export type FaultOrder = { kind: string } & Record<string, unknown>;

/**
 * The story with every fault of an emulator switched on in turn, each struck several times at every stage; whatever it was,
 * the coach is paid once and the trial balance is the same.
 */
export function describeFaults(which: 'stripe' | 'fortnox', faults: readonly FaultOrder[]): void {
  let road: Road;

  beforeEach(async () => {
    road = await openRoad();
  }, 60_000);

  afterEach(() => road.harness.close());

  /** A stage may end with tasks given up or deliveries still to come: the sweeps that follow make up for them. */
  const rest = () => road.harness.settle().catch(() => undefined);

  it.each(faults)(
    '%j',
    async (order) => {
      const strike = () => road.fault(which, { ...order, times: 3 });
      await strike();
      await road.sell();
      await strike();
      await road.schedulePayouts();
      await rest();
      await strike();
      await road.sweep(6).catch(() => undefined);
      await rest();
      await strike();
      // Where Stripe cannot be read, the run counts as failed, and the schedule repeats it.
      await road.syncAccounting().catch(() => undefined);
      await rest();
      await road.clearFaults();
      for (const minutes of [70, 140]) await road.sweep(minutes);
      await road.arrive();
      const night = 4 * 24 * 60;
      await road.sweep(night - 400);
      await road.syncAccounting();
      await rest();
      for (let minutes = night; minutes <= night + 200; minutes += 65) await road.sweep(minutes);
      await road.expectPaidOnce();
      await road.expectBooked();
    },
    120_000,
  );
}
