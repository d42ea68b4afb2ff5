import { days, hours, minutes } from '../../platform/clock.ts';

/** A declined card. */
export interface Decline {
  /** Stripe's charge or attempt: heard of twice, it counts once. */
  id: string;
  /** Unix milliseconds. */
  at: number;
  /** Stripe's fingerprint, the same for the same card whoever brings it. */
  card?: string;
}

/** What `limits/{uid}` remembers of a user's declined cards. */
export interface DeclineRecord {
  /** The newest first. */
  declines: Decline[];
  /** How often the user was paused lately. */
  strikes: number;
  /** Declines up to then have led to a pause already. Unix milliseconds. */
  struckAt: number;
}

export const noDeclines: DeclineRecord = { declines: [], strikes: 0, struckAt: 0 };

/** People mistype and try a second card; whoever tries out stolen ones goes on. */
const rules = {
  declines: { most: 4, withinMs: hours(1) },
  cards: { most: 3, withinMs: days(1) },
} as const;

const firstPauseMs = minutes(15);
const longestPauseMs = days(1);
const strikesForgottenMs = days(7);
const remembered = 50;

export interface Strike {
  strikes: number;
  declines: number;
  cards: number;
  untilMs: number;
}

/** Notes a decline. Too many of them, or of different cards, are a strike: a pause that doubles with each. Pure. */
export function noteDecline(
  before: DeclineRecord,
  decline: Decline,
  now: number,
): { record: DeclineRecord; strike?: Strike } | undefined {
  if (before.declines.some(({ id }) => id === decline.id)) return undefined;
  const declines = [decline, ...before.declines].sort((a, b) => b.at - a.at).slice(0, remembered);
  const recent = (withinMs: number) => declines.filter(({ at }) => at > before.struckAt && at > now - withinMs);
  const count = recent(rules.declines.withinMs).length;
  const cards = new Set(recent(rules.cards.withinMs).flatMap(({ card }) => card ?? [])).size;
  if (count <= rules.declines.most && cards <= rules.cards.most) return { record: { ...before, declines } };
  const strikes = (now - before.struckAt > strikesForgottenMs ? 0 : before.strikes) + 1;
  const untilMs = now + Math.min(longestPauseMs, firstPauseMs * 2 ** (strikes - 1));
  return {
    record: { declines, strikes, struckAt: Math.max(now, decline.at) },
    strike: { strikes, declines: count, cards, untilMs },
  };
}
