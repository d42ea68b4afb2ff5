/** What Fortnox takes in a text: letters, digits, space and these signs (developer pages; anything else is error 2000359). */
const PERMITTED = /[\p{L}\p{N} –:.`´’,;^¤#%§£$€¢¥©™°&/()=+\-*_!?²³®½@]/u;

/**
 * A text Fortnox takes: refused characters are left out, line breaks, tabs and runs of space become one space,
 * and it is cut to `max` characters (Fortnox: 200 for a voucher's description, 100 for a row's information).
 * Pure and idempotent.
 */
export function sanitizeText(text: string, max: number): string {
  const flat = text.normalize('NFC').replace(/\s+/gu, ' ');
  const kept = [...flat].filter((character) => PERMITTED.test(character));
  const tidy = [...kept.join('').replace(/ +/g, ' ').trim()];
  return tidy.slice(0, max).join('').trimEnd();
}

/** Whether Fortnox would take the text as it is. */
export function isCleanText(text: string, max: number): boolean {
  const characters = [...text];
  return characters.length <= max && characters.every((character) => PERMITTED.test(character));
}
