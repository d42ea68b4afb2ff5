/** The upper half of code page 437, in order: what SIE files are written in (SIE 4, "PC8"). */
const upper =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

const codes: ReadonlyMap<string, number> = new Map([...upper].map((letter, i) => [letter, 128 + i]));

const instead: ReadonlyMap<string, string> = new Map([
  ['–', '-'],
  ['—', '-'],
  ['−', '-'],
  ['€', 'EUR'],
  ['’', "'"],
  ['‘', "'"],
  ['”', '"'],
  ['“', '"'],
  ['…', '...'],
]);

/** Text as bytes of code page 437. A letter it does not have loses its accent; what is left without one is "?". */
export function toCp437(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const letter of text.normalize('NFC')) {
    const known = codeOf(letter);
    if (known !== undefined) bytes.push(known);
    else for (const other of instead.get(letter) ?? bare(letter)) bytes.push(codeOf(other) ?? 63);
  }
  return Uint8Array.from(bytes);
}

const codeOf = (letter: string): number | undefined => {
  const code = letter.codePointAt(0) ?? 63;
  return code < 128 ? code : codes.get(letter);
};

const bare = (letter: string): string => letter.normalize('NFD').replace(/\p{M}/gu, '') || '?';
