import type { IncomeSoFar, LedgerEntry } from '../../ledger/ledger.ts';
import { nothingBorne, type Bearing, type KeptShare } from '../../ledger/returns.ts';
import { minor, negate, zero, type Minor } from '../../platform/money.ts';
import type { Held, Payment, Returned } from '../payments.ts';

/** Where a payment stands before the next amount goes back. All in the currency of the sale's balance transaction. */
export interface Standing {
  /** What became income so far, and the coach's part of it (zero where it is the platform's own). */
  sharedMinor: Minor;
  coachMinor: Minor;
  own: boolean;
  returned: Returned;
  held: Held | undefined;
}

export const nothingReturned: Returned = { grossMinor: zero, coachMinor: zero, owedMinor: zero };

export function standingOf(
  payment: Pick<Payment, 'returned' | 'held'>,
  sale: Pick<LedgerEntry, 'kind' | 'parts'>,
): Standing {
  const { held } = payment;
  return {
    sharedMinor: held ? held.releasedMinor : sale.parts.grossMinor,
    coachMinor: held ? held.releasedCoachMinor : sale.parts.coachMinor,
    own: sale.kind === 'own_sale',
    returned: payment.returned ?? nothingReturned,
    held,
  };
}

/** The part of `whole` that belongs to `part` of `of`, rounded half up (toward more); the products pass what a double holds. */
export function proportion(whole: Minor, part: number, of: Minor): Minor {
  if (of === 0) return zero;
  const numerator = 2n * BigInt(whole) * BigInt(part) + BigInt(of);
  return minor(Number(numerator / (2n * BigInt(of))));
}

/**
 * Who bears an amount that goes back: first what is owed to the customer since a refund of theirs failed, then what is
 * still held, then the platform or, by cumulative proportion, coach and platform: what has gone back so far, rounded once,
 * minus what was split before, so that any sequence of parts ends where one full refund would. A negative amount comes
 * again (a loss turned round by an appeal). A bank may take the whole of what was refunded in part while it only asked:
 * the coach bears no more than their share, and the platform what is beyond it.
 */
export function bear(standing: Standing, amount: Minor, kept?: KeptShare): { bearing: Bearing; standing: Standing } {
  const { returned, held } = standing;
  const owed = Math.max(0, Math.min(amount, returned.owedMinor));
  const keptMinor = kept ? kept.coachMinor + kept.feeMinor : 0;
  const untouched = held !== undefined && standing.sharedMinor === 0;
  const fromHeld = untouched
    ? amount - owed - beyondHeld(standing, amount, owed)
    : Math.max(0, Math.min(amount - owed, (held?.leftMinor ?? 0) - keptMinor));
  const rest = minor(amount - owed - fromHeld);
  const grossMinor = minor(returned.grossMinor + rest);
  const shareable = Math.min(grossMinor, standing.sharedMinor);
  const coachSoFar = proportion(standing.coachMinor, shareable, standing.sharedMinor);
  const coachMinor = minor(coachSoFar - returned.coachMinor);
  return {
    bearing: {
      ...nothingBorne,
      owedMinor: minor(owed),
      heldMinor: minor(fromHeld),
      ownMinor: standing.own ? rest : zero,
      coachMinor: minor(coachMinor),
      feeMinor: standing.own ? zero : minor(rest - coachMinor),
    },
    standing: {
      ...standing,
      returned: { grossMinor, coachMinor: coachSoFar, owedMinor: minor(returned.owedMinor - owed) },
      ...(held
        ? {
            sharedMinor: minor(standing.sharedMinor + keptMinor),
            coachMinor: minor(standing.coachMinor + (kept?.coachMinor ?? 0)),
            held: {
              leftMinor: minor(held.leftMinor - fromHeld - keptMinor),
              releasedMinor: minor(held.releasedMinor + keptMinor),
              releasedCoachMinor: minor(held.releasedCoachMinor + (kept?.coachMinor ?? 0)),
            },
          }
        : {}),
    },
  };
}

/** What of the payment is somebody's income now. */
export const incomeSoFar = ({ sharedMinor, coachMinor, returned }: Standing): IncomeSoFar => ({
  grossMinor: minor(sharedMinor - returned.grossMinor),
  coachMinor: minor(coachMinor - returned.coachMinor),
});

/** Of a price that is still held whole: what goes back beyond it, or (negative) comes again of that. */
function beyondHeld({ returned, held }: Standing, amount: Minor, owed: number): number {
  if (amount < 0) return Math.max(amount, negate(returned.grossMinor));
  return Math.max(0, amount - owed - (held?.leftMinor ?? 0));
}

/**
 * What can be kept of a session canceled late when this amount goes back: no more than is then left, for something else of
 * it may have gone back first. Scaled, it keeps its proportion.
 */
export function keepable({ returned, held }: Standing, amount: Minor, kept: KeptShare): KeptShare | undefined {
  const owed = Math.min(amount, returned.owedMinor);
  const keptMinor = minor(kept.coachMinor + kept.feeMinor);
  const roomMinor = minor(Math.min(keptMinor, (held?.leftMinor ?? 0) - (amount - owed)));
  if (roomMinor <= 0) return undefined;
  const coachMinor = proportion(kept.coachMinor, roomMinor, keptMinor);
  return { coachMinor, feeMinor: minor(roomMinor - coachMinor) };
}

/** A refund came back: the platform owes it to the customer. */
export const oweAgain = (standing: Standing, amount: Minor): Standing => ({
  ...standing,
  returned: { ...standing.returned, owedMinor: minor(standing.returned.owedMinor + amount) },
});
