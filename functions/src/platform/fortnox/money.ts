/** Fortnox takes 14 digits, decimals included (older documentation): 999 999 999 999.99 kronor. */
export const MAX_MINOR = 99_999_999_999_999;

/**
 * Öre as the JSON number Fortnox reads, always two decimals: 49900 -> "499.00", 5 -> "0.05".
 * Digits are moved, never divided, so it is exact. Throws a RangeError for what is no amount on a voucher row.
 */
export function formatMinor(minor: number): string {
  if (!Number.isSafeInteger(minor) || minor < 0 || minor > MAX_MINOR) {
    throw new RangeError(`An amount on a voucher row is a whole number of öre from 0 to ${MAX_MINOR}, not ${minor}.`);
  }
  const digits = String(minor).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** The öre in a JSON number from Fortnox, exactly; null when it has more than two decimals or is no amount. */
export function parseMinor(value: number): number | null {
  const match = /^(-?)(\d+)(?:\.(\d{1,2}))?$/.exec(String(value));
  if (match === null) return null;
  const minor = Number(match[2]) * 100 + Number((match[3] ?? '').padEnd(2, '0'));
  if (minor > MAX_MINOR) return null;
  return match[1] === '-' && minor !== 0 ? -minor : minor;
}
