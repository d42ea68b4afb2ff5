import { readBothSides } from './checks.ts';
import { balancesDiffer, explanationsDiffer, unbalanced } from './comparison.ts';
import { earningsDiffer, entitlementsDiffer, sharesDiffer } from './shares.ts';
import type { Stage } from './stage.ts';
import * as statuses from './statuses.ts';

/** Wherever the product and Stripe differ after all has come to rest, in words. Empty: every öre is accounted for. */
export async function compare(stage: Stage): Promise<string[]> {
  const both = await readBothSides(stage);
  return [
    ...unbalanced(both),
    ...balancesDiffer(both),
    ...explanationsDiffer(both),
    ...(await earningsDiffer(both)),
    ...sharesDiffer(both),
    ...statuses.paymentsDiffer(both),
    ...(await statuses.refundsDiffer(both)),
    ...(await statuses.disputesDiffer(both)),
    ...(await statuses.subscriptionsDiffer(both)),
    ...(await statuses.transfersDiffer(both)),
    ...(await statuses.eventsLeft(both)),
    ...(await entitlementsDiffer(both)),
  ];
}
