/** Money in the emulator is an integer number of öre; Fortnox speaks decimals with at most two places. */

/** Fortnox's older documentation: 14 digits, decimals included. */
const MAX_ORE = 99_999_999_999_999;

/**
 * The öre in a decimal number, exactly, or null when it is no amount Fortnox takes:
 * negative, more than two decimals, or more than 14 digits.
 */
export function parseOre(value: unknown): number | null {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return null;
  // The shortest decimal text of a double is what the sender wrote, up to 15 digits; no arithmetic on fractions.
  const match = /^(\d+)(?:\.(\d{1,2}))?$/.exec(String(value));
  if (match === null) return null;
  const ore = Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'));
  return ore <= MAX_ORE ? ore : null;
}

/** The JSON number for öre: 49900 -> 499, 9980 -> 99.8. Exact, because the nearest double prints as those digits. */
export function oreToNumber(ore: number): number {
  return ore / 100;
}
