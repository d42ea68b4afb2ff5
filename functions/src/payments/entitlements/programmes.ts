import { Timestamp } from 'firebase-admin/firestore';
import { days } from '../../platform/clock.ts';

export interface ProgrammeGrant {
  kind: 'programme';
  productId: string;
  /** When its money was first seen. */
  from: Timestamp;
  /** The product's when it was bought; null: without an end. */
  weeks: number | null;
  /** The money is here. */
  live: boolean;
}

/** From when to when each programme is open: bought again while it is open, the new weeks follow the old. */
export function programmeView(
  grants: readonly ProgrammeGrant[],
): Record<string, { from: Timestamp; until: Timestamp | null }> {
  const view: Record<string, { from: Timestamp; until: Timestamp | null }> = {};
  const live = grants.filter((grant) => grant.live);
  live.sort((a, b) => a.from.toMillis() - b.from.toMillis() || (a.weeks ?? 0) - (b.weeks ?? 0));
  for (const { productId, from, weeks } of live) {
    const known = view[productId];
    const open = known && (known.until === null || known.until.toMillis() >= from.toMillis()) ? known : undefined;
    const starts = open?.until ?? from;
    const endless = weeks === null || open?.until === null;
    const until = endless ? null : Timestamp.fromMillis(starts.toMillis() + days(7 * weeks));
    view[productId] = { from: open?.from ?? from, until };
  }
  return view;
}
