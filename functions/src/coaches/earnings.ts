import { Timestamp } from 'firebase-admin/firestore';
import { minor, type Currency, type Minor } from '../platform/money.ts';

export type EarningStatus = 'pending' | 'available' | 'paid' | 'reversed' | 'held';

/**
 * What payouts ask for: `open` is owed to the coach, `debt` was paid and then taken back by a refund or a dispute (the
 * next payout takes it off), `held` rests, `settled` needs nothing more.
 */
export type Settlement = 'open' | 'debt' | 'held' | 'settled';

/** `coaches/{uid}/earnings/{paymentId}`: all a coach may see of a payment to them. Coaches never read `payments`. */
export interface Earning {
  paymentId: string;
  /** What the customer paid, the platform's fee of it; the coach's share is the difference. */
  amountMinor: Minor;
  feeMinor: Minor;
  currency: Currency;
  description: string;
  customerName: string;
  status: EarningStatus;
  /** When Stripe lets the money go to a bank. */
  availableOn?: Timestamp;
  /** In a payout that is frozen, under way or done. A payout that comes back takes its part out again. */
  paidMinor: Minor;
  reversedMinor: Minor;
  /** Follows from the amounts and the status; written so that it can be asked for. */
  settlement: Settlement;
  /** From when a payout reckons with it: what is disputed at any time, all else from `availableOn`. Written so that one query finds it. */
  countsFrom?: Timestamp;
  /** The sale's ledger document; payout items are named by it. */
  ledgerId: string;
  /** Charged in the coach's own name (`direct`): the money never was the platform's. */
  tenant?: true;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

/** What a sale tells when it is booked. */
export type NewEarning = Pick<
  Earning,
  'paymentId' | 'amountMinor' | 'feeMinor' | 'currency' | 'description' | 'customerName' | 'ledgerId' | 'tenant'
> & {
  availableOn?: Timestamp;
  /** A dispute of the payment is open: the share rests. */
  disputed?: boolean;
};

/** Of the coach's share, what is neither paid nor taken back. Negative: more was paid than is theirs. */
export function openMinor(earning: Pick<Earning, 'amountMinor' | 'feeMinor' | 'paidMinor' | 'reversedMinor'>): Minor {
  return minor(earning.amountMinor - earning.feeMinor - earning.reversedMinor - earning.paidMinor);
}

const always = Timestamp.fromMillis(0);

/** Keeps `settlement` and `countsFrom` true to the rest; every write of an earning goes through here. */
export function settle({ countsFrom: _before, ...earning }: Earning): Earning {
  const open = openMinor(earning);
  if (earning.status === 'held') return { ...earning, settlement: 'held', countsFrom: always };
  return {
    ...earning,
    settlement: open > 0 ? 'open' : open < 0 ? 'debt' : 'settled',
    ...(earning.availableOn ? { countsFrom: earning.availableOn } : {}),
  };
}

export function newEarning(earning: NewEarning, at: Timestamp): Earning {
  const { availableOn, disputed = false, ...rest } = earning;
  const made: Earning = {
    ...rest,
    status: disputed ? 'held' : 'pending',
    ...(availableOn ? { availableOn } : {}),
    paidMinor: minor(0),
    reversedMinor: minor(0),
    settlement: 'open',
    createdAt: at,
    updatedAt: at,
  };
  return settle(ripen(made, at));
}

/** A pending earning is available from the moment Stripe lets the money go. */
export function ripen(earning: Earning, at: Timestamp): Earning {
  const ripe = earning.status === 'pending' && earning.availableOn && earning.availableOn.toMillis() <= at.toMillis();
  return ripe ? { ...earning, status: 'available', updatedAt: at } : earning;
}

/** Told of again: nothing changes but an `availableOn` that was missing. Undefined: nothing to write. */
export function fillEarning(existing: Earning, told: NewEarning, at: Timestamp): Earning | undefined {
  if (existing.availableOn || !told.availableOn) return undefined;
  return settle(ripen({ ...existing, availableOn: told.availableOn, updatedAt: at }, at));
}

/** Puts an amount into a payout, or (negative) takes it out again. A debt goes in as a negative amount. */
export function movePaid(earning: Earning, byMinor: Minor, at: Timestamp): Earning {
  const moved = { ...earning, paidMinor: minor(earning.paidMinor + byMinor), updatedAt: at };
  const status = moved.status === 'paid' && openMinor(moved) !== 0 ? 'available' : moved.status;
  return settle({ ...moved, status });
}

/** The payout reached the bank: an earning with nothing left open is paid. */
export function markPaid(earning: Earning, at: Timestamp): Earning {
  const done = openMinor(earning) === 0 && (earning.status === 'pending' || earning.status === 'available');
  return done ? { ...earning, status: 'paid', updatedAt: at } : earning;
}

/**
 * A part of the share goes back to the customer (a refund, a lost dispute); negative: it was the coach's after all. What
 * was paid out already becomes a debt by itself (`settle`).
 */
export function returnShare(earning: Earning, byMinor: Minor, at: Timestamp): Earning {
  const reversedMinor = minor(earning.reversedMinor + byMinor);
  const whole = reversedMinor >= earning.amountMinor - earning.feeMinor;
  const status = whole ? 'reversed' : earning.status === 'reversed' ? 'available' : earning.status;
  return settle({ ...earning, reversedMinor, status: earning.status === 'held' ? 'held' : status, updatedAt: at });
}

/** Disputed money rests until the dispute is decided; then it goes on where it would be by now. */
export function holdEarning(earning: Earning, held: boolean, at: Timestamp): Earning {
  if (held === (earning.status === 'held')) return earning;
  if (held) return settle({ ...earning, status: 'held', updatedAt: at });
  const free = { ...earning, status: 'pending' as const, updatedAt: at };
  return markPaid(ripen(returnShare(free, minor(0), at), at), at);
}
