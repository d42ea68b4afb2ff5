/** Code page 437 from 0x80 up, the bytes that SIE calls PC8. It has å, ä and ö; it has neither – nor €. */
const UPPER =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00A0';

/** A text in CP437; what has no place in it becomes a question mark. */
export function encodeCp437(text: string): Uint8Array {
  const bytes = [...text.normalize('NFC')].map((character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) return code;
    const at = UPPER.indexOf(character);
    return at < 0 ? 0x3f : 0x80 + at;
  });
  return Uint8Array.from(bytes);
}
