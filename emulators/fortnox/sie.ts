import { encodeCp437 } from './cp437.ts';
import { CODE, badRequest, noSuchRoute } from './errors.ts';
import { yearOf } from './query.ts';
import type { Reading } from './registers.ts';
import { bookOf } from './state.ts';
import type { Answer, FinancialYear, State, Voucher, VoucherRow } from './types.ts';

/** What accounts from 1000 to 2999 hold goes on into the next year; the rest is the year's result. */
const LAST_BALANCE_ACCOUNT = 2999;

const quoted = (text: string) => `"${text.replace(/[\r\n]+/g, ' ').replace(/"/g, '\\"')}"`;
const compact = (date: string) => date.replace(/-/g, '');

/** Öre as SIE writes amounts: a point, no thousands, two decimals; debit is positive. */
function amount(ore: number): string {
  const digits = String(Math.abs(ore)).padStart(3, '0');
  return `${ore < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

const net = (row: VoucherRow) => row.debitOre - row.creditOre;
const dimension = (costCenter: string) => (costCenter === '' ? '{}' : `{"1" ${quoted(costCenter)}}`);

function sums(vouchers: readonly Voucher[], keyOf: (voucher: Voucher, row: VoucherRow) => string): [string, number][] {
  const found = new Map<string, number>();
  for (const voucher of vouchers) {
    for (const row of voucher.rows) {
      const key = keyOf(voucher, row);
      found.set(key, (found.get(key) ?? 0) + net(row));
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}

function head(state: State, year: FinancialYear, type: number, nowMs: number): string[] {
  const previous = state.years.find((one) => one.id === year.id - 1);
  return [
    '#FLAGGA 0',
    '#PROGRAM "Fortnox emulator" 1.0',
    '#FORMAT PC8',
    `#GEN ${compact(new Date(nowMs).toISOString().slice(0, 10))}`,
    `#SIETYP ${type}`,
    `#ORGNR ${state.company.organizationNumber}`,
    `#FNAMN ${quoted(state.company.name)}`,
    `#RAR 0 ${compact(year.from)} ${compact(year.to)}`,
    ...(previous === undefined ? [] : [`#RAR -1 ${compact(previous.from)} ${compact(previous.to)}`]),
  ];
}

/** Opening balances are nil: the emulator brings nothing forward between years. */
function balances(vouchers: readonly Voucher[]): string[] {
  return sums(vouchers, (_voucher, row) => String(row.account)).flatMap(([account, ore]) =>
    Number(account) <= LAST_BALANCE_ACCOUNT
      ? [`#IB 0 ${account} ${amount(0)}`, `#UB 0 ${account} ${amount(ore)}`]
      : [`#RES 0 ${account} ${amount(ore)}`],
  );
}

function periods(vouchers: readonly Voucher[], withObjects: boolean): string[] {
  const total = sums(vouchers, ({ date }, row) => `${compact(date).slice(0, 6)} ${row.account} {}`);
  const byObject = sums(vouchers, ({ date, costCenter }, row) => {
    const object = dimension(row.costCenter === '' ? costCenter : row.costCenter);
    return `${compact(date).slice(0, 6)} ${row.account} ${object}`;
  }).filter(([key]) => !key.endsWith(' {}'));
  return [...total, ...(withObjects ? byObject : [])].map(([key, ore]) => `#PSALDO 0 ${key} ${amount(ore)}`);
}

function verification(voucher: Voucher): string[] {
  const { series, number, date, description, createdAtMs } = voucher;
  const entered = compact(new Date(createdAtMs).toISOString().slice(0, 10));
  return [
    `#VER ${quoted(series)} ${number} ${compact(date)} ${quoted(description)} ${entered}`,
    '{',
    ...voucher.rows.map((row) => {
      const object = dimension(row.costCenter === '' ? voucher.costCenter : row.costCenter);
      const text = row.text === '' ? '' : ` ${compact(date)} ${quoted(row.text)}`;
      return `#TRANS ${row.account} ${object} ${amount(net(row))}${text}`;
    }),
    '}',
  ];
}

/**
 * `GET /3/sie/{1-4}`: a year's books as bytes in CP437. 1 has balances, 2 adds them by month, 3 adds cost centres, 4 has
 * every voucher (4E). The year is named `financialyear`, or `financialYear` as in Fortnox's API description.
 */
export function exportSie({ state, query, path }: Reading, nowMs: number): Answer {
  const type = Number(path[0]);
  if (!/^[1-4]$/.test(path[0] ?? '')) throw noSuchRoute();
  const named = new URLSearchParams([...query].map(([name, value]): [string, string] => [name.toLowerCase(), value]));
  for (const name of named.keys()) {
    if (name !== 'financialyear') throw badRequest(CODE.badParameter, `Ogiltig parameter i anropet. (${name})`);
  }
  const year = yearOf(state, named);
  const accounts = Object.values(bookOf(state, year).accounts).sort((a, b) => a.number - b.number);
  const vouchers = state.vouchers
    .filter((voucher) => voucher.financialYear === year.id)
    .toSorted((a, b) => (a.series === b.series ? a.number - b.number : a.series < b.series ? -1 : 1));
  const centers = type >= 3 ? Object.entries(state.costCenters) : [];
  const lines = [
    ...head(state, year, type, nowMs),
    ...accounts.map((account) => `#KONTO ${account.number} ${quoted(account.description)}`),
    ...(centers.length > 0 ? ['#DIM 1 "Kostnadsställe"'] : []),
    ...centers.map(([code, name]) => `#OBJEKT 1 ${quoted(code)} ${quoted(name)}`),
    ...balances(vouchers),
    ...(type === 2 || type === 3 ? periods(vouchers, type === 3) : []),
    ...(type === 4 ? vouchers.flatMap(verification) : []),
  ];
  const bytes = encodeCp437(`${lines.join('\r\n')}\r\n`);
  return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: '', bytes };
}
