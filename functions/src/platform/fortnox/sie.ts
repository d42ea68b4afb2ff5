import { FortnoxError } from './errors.ts';
import { parseMinor } from './money.ts';

/** A voucher of a SIE file. */
export type SieVoucher = {
  readonly series: string;
  readonly number: number;
  /** 'YYYY-MM-DD' */
  readonly date: string;
  readonly description: string;
  /** Debit is positive, in öre. Rows struck out in the books are left out. */
  readonly rows: readonly { account: number; amountMinor: number }[];
};

/** Code page 437 from 0x80 up, in order: the bytes that SIE calls PC8. */
const UPPER =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

const LINE_FEED = 10;
/** A line is a few hundred bytes; what has none for so long is no SIE file. */
const LONGEST_LINE = 65_536;

/** Read as Latin 1, a byte is its own code: only what stands above ASCII is looked up. A year may be a gigabyte. */
const decode = (bytes: Buffer): string =>
  bytes.toString('latin1').replace(/[\x80-\xff]/g, (letter) => UPPER[letter.charCodeAt(0) - 0x80] ?? '');

/** Lines of a file that comes in pieces; only one of them is held at a time. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of chunks) {
    const chunk = Buffer.concat([rest, piece]);
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      yield decode(chunk.subarray(from, end)).trim();
      from = end + 1;
    }
    rest = chunk.subarray(from);
    if (rest.length > LONGEST_LINE) throw unreadable('it has a line without an end');
  }
  if (rest.length > 0) yield decode(rest).trim();
}

/** Fields are separated by spaces and may stand in quotes, in which a quote is \"; an object list in braces is one field. */
const FIELD = /"((?:\\"|[^"])*)"|\{[^}]*\}|[^\s"{}]+/g;

function fieldsOf(line: string): string[] {
  return [...line.matchAll(FIELD)].map(([whole, quoted]) => quoted?.replaceAll('\\"', '"') ?? whole);
}

const unreadable = (why: string): FortnoxError =>
  new FortnoxError(`Fortnox's SIE file cannot be read: ${why}.`, { kind: 'unknown' });

/**
 * The vouchers of a SIE 4 file, one at a time. Strict: a file of another type or character set, one that ends within a
 * voucher, and amounts or dates that are none throw a FortnoxError. Lines it has no use for are passed over.
 */
export async function* sieVouchers(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<SieVoucher> {
  const seen = new Map<string, string>();
  let open: { voucher: Omit<SieVoucher, 'rows'>; rows: { account: number; amountMinor: number }[] } | undefined;
  for await (const line of linesOf(chunks)) {
    const [label = '', ...fields] = fieldsOf(line);
    if (label === '#FORMAT' || label === '#SIETYP') seen.set(label, fields[0] ?? '');
    else if (label === '#VER') {
      if (open) throw unreadable('a voucher begins within another');
      requireKind(seen);
      open = { voucher: voucherOf(fields), rows: [] };
    } else if (label === '#TRANS') {
      if (!open) throw unreadable('a row stands outside a voucher');
      open.rows.push(rowOf(fields));
    } else if (line === '}' && open) {
      yield { ...open.voucher, rows: open.rows };
      open = undefined;
    }
  }
  if (open) throw unreadable('it ends within a voucher');
  requireKind(seen);
}

function requireKind(seen: ReadonlyMap<string, string>): void {
  if (seen.get('#FORMAT') !== 'PC8') throw unreadable('its character set is not PC8');
  if (seen.get('#SIETYP') !== '4') throw unreadable('it is not of type 4');
}

function voucherOf([series = '', number = '', day = '', description = '']: string[]): Omit<SieVoucher, 'rows'> {
  if (!/^\d+$/.test(number)) throw unreadable(`a voucher of series ${series} has no number`);
  if (!/^\d{8}$/.test(day)) throw unreadable(`voucher ${series} ${number} has no date`);
  const date = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
  return { series, number: Number(number), date, description };
}

function rowOf([account = '', objects = '', amount = '']: string[]): { account: number; amountMinor: number } {
  const amountMinor = /^-?\d+(\.\d{1,2})?$/.test(amount) ? minorOf(amount) : null;
  if (!/^\d+$/.test(account) || !objects.startsWith('{') || amountMinor === null) {
    throw unreadable(`a row says ${[account, objects, amount].join(' ')}`);
  }
  return { account: Number(account), amountMinor };
}

/** "-0.50" is 50 öre on the credit side. Digits are moved, never divided. */
function minorOf(amount: string): number | null {
  const minor = parseMinor(Number(amount.replace('-', '')));
  return minor !== null && amount.startsWith('-') && minor !== 0 ? -minor : minor;
}
