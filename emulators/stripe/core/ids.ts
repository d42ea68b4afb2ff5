/** Ids that look like Stripe's, from a seed, so that a simulation names the same objects every time. */
export interface IdSource {
  /** `next('pi')` is `pi_` and 24 characters; never the same twice from one source. */
  next(prefix: string, length?: number): string;
  /** A whole number in [0, below). */
  random(below: number): number;
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export function createIdSource(seed: number): IdSource {
  let state = seed >>> 0;
  let counter = 0;
  // mulberry32
  const random = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const base62 = (value: number, width: number): string => {
    let text = '';
    for (let rest = value, i = 0; i < width; i++, rest = Math.floor(rest / 62))
      text = ALPHABET.charAt(rest % 62) + text;
    return text;
  };
  return {
    next(prefix, length = 24) {
      counter += 1;
      let noise = '';
      for (let i = 5; i < length; i++) noise += ALPHABET.charAt(Math.floor(random() * 62));
      // The counter makes it unique within this source; the noise keeps two runs apart.
      return `${prefix}_${noise}${base62(counter, 5)}`;
    },
    random: (below) => Math.floor(random() * below),
  };
}
