import { days, hours, minutes } from '../../platform/clock.ts';
import { noDeclines, noteDecline, type Decline, type DeclineRecord, type Strike } from './declines.ts';

const start = Date.parse('2026-11-23T07:00:00Z');

/** Notes declines one after the other and gives the strikes they led to. */
function play(declines: readonly Decline[], before: DeclineRecord = noDeclines) {
  let record = before;
  const strikes: Strike[] = [];
  for (const decline of declines) {
    const noted = noteDecline(record, decline, decline.at);
    record = noted?.record ?? record;
    if (noted?.strike) strikes.push(noted.strike);
  }
  return { record, strikes };
}

const tries = (count: number, everyMs: number, cards = 1, from = start): Decline[] =>
  Array.from({ length: count }, (_, n) => ({
    id: `ch_${from}_${n}`,
    at: from + n * everyMs,
    card: `card-${n % cards}`,
  }));

describe('card testing', () => {
  it('four declines of one card within an hour are a bad day, the fifth is a strike', () => {
    expect(play(tries(4, minutes(5))).strikes).toEqual([]);
    const [strike] = play(tries(5, minutes(5))).strikes;
    expect(strike).toEqual({ strikes: 1, declines: 5, cards: 1, untilMs: start + minutes(20) + minutes(15) });
  });

  it('spread over days they are nothing', () => {
    expect(play(tries(40, minutes(16))).strikes).toEqual([]);
  });

  it('a fourth different card within a day is a strike', () => {
    expect(play(tries(3, hours(2), 3)).strikes).toEqual([]);
    expect(play(tries(4, hours(2), 4)).strikes).toMatchObject([{ cards: 4, declines: 1 }]);
  });

  it('pauses double up to a day, and are forgotten after a quiet week', () => {
    const { record, strikes } = play(tries(60, minutes(1), 1));
    expect(strikes.map(({ untilMs }, n) => untilMs - (start + minutes(4 + 5 * n)))).toEqual(
      [15, 30, 60, 120, 240, 480, 960, 1440, 1440, 1440, 1440, 1440].map(minutes),
    );
    const later = play(tries(5, minutes(1), 1, start + days(9)), record);
    expect(later.strikes).toMatchObject([{ strikes: 1 }]);
  });

  it('the same attempt heard of twice counts once, and old news does not pause anyone', () => {
    const twice = tries(4, minutes(1)).flatMap((decline) => [decline, decline]);
    expect(play(twice).strikes).toEqual([]);
    let record = noDeclines;
    for (const decline of tries(9, minutes(1))) {
      const noted = noteDecline(record, decline, start + days(2));
      expect(noted?.strike).toBeUndefined();
      record = noted?.record ?? record;
    }
  });
});
