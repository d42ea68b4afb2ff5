import {
  boolean,
  ControlError,
  dateOrNull,
  integer,
  list,
  parseBody,
  parseFault,
  parseFields,
  string,
} from './control-input.ts';
import { ACCESS_FIELDS, accessChanges } from './control-access.ts';
import type { Fields } from './control-input.ts';
import { json } from './errors.ts';
import { bookOf } from './state.ts';
import { FAULT_KINDS } from './types.ts';
import type { Answer, FinancialYear, State, YearBook } from './types.ts';

/** What the control API needs of the core around it. */
export type Controlled = {
  readonly state: State;
  /** The emulator's clock, unix ms. */
  readonly nowMs: number;
  readonly reset: () => void;
};

const ROUTES = {
  'GET /_emulator': 'this list',
  'GET /_emulator/health': 'is it up, and what time does it think it is',
  'GET /_emulator/state': 'everything it knows',
  'POST /_emulator/state':
    '{lockedPeriod?: date | null, preselectedYear?: id, accounts?: [{number, financialYear?, active?, description?}], series?: [{code, financialYear?, manual?, description?}], costCenters?: [{code, description?}], app?: {scopes?, redirectUris?}, serviceConsent?: [scope] | null, licences?: {api?, missing?: [scope]}, switches?: {replayKillsChain?, scopeErrorStatus?: 400 | 403, fileConnectionId?: Id | ArchiveFileId}}; without financialYear: in every year; an account or series not there yet is added',
  'POST /_emulator/reset': 'back to the beginning: no vouchers, tokens, faults, requests; the clock follows real time',
  'GET /_emulator/clock': '{now: unix seconds}',
  'POST /_emulator/clock': '{advanceSeconds} or {now: unix seconds}; it runs on from there',
  'GET /_emulator/requests': 'the last 1000 requests and what they got',
  'GET /_emulator/faults': 'the faults still armed',
  'POST /_emulator/faults': `{kind, method?, path? (start of it; /3/ when left out), times? (1), delayMs?}; kinds: ${FAULT_KINDS.join(', ')}`,
  'DELETE /_emulator/faults': 'disarm all',
  'GET /_emulator/trial-balance': '{account: öre, debit positive} over all vouchers; ?financialyear=id for one year',
} as const;

function chosenYears(state: State, fields: Fields): readonly FinancialYear[] {
  const id = integer(fields, 'financialYear', 1);
  if (id === undefined) return state.years;
  const years = state.years.filter((year) => year.id === id);
  if (years.length === 0) throw new ControlError(`There is no financial year with id ${id}.`);
  return years;
}

function accountChange(state: State, value: unknown): () => void {
  const fields = parseFields(value, ['number', 'financialYear', 'active', 'description'], 'An account');
  const number = integer(fields, 'number', 1000);
  if (number === undefined || number > 9999) throw new ControlError('An account needs "number", 1000 to 9999.');
  const active = boolean(fields, 'active');
  const description = string(fields, 'description');
  const books = chosenYears(state, fields).map((year) => bookOf(state, year));
  return () => {
    for (const { accounts } of books) {
      const account = (accounts[String(number)] ??= { number, description: `Konto ${number}`, active: true });
      account.active = active ?? account.active;
      account.description = description ?? account.description;
    }
  };
}

function seriesChange(state: State, value: unknown): () => void {
  const fields = parseFields(value, ['code', 'financialYear', 'manual', 'description'], 'A series');
  const code = string(fields, 'code');
  if (code === undefined || code.length > 10) throw new ControlError('A series needs "code", at most 10 characters.');
  const manual = boolean(fields, 'manual');
  const description = string(fields, 'description');
  const books: readonly YearBook[] = chosenYears(state, fields).map((year) => bookOf(state, year));
  return () => {
    for (const book of books) {
      const series = (book.series[code] ??= { code, description: `Serie ${code}`, manual: true });
      series.manual = manual ?? series.manual;
      series.description = description ?? series.description;
    }
  };
}

/** All or nothing: every part is checked before the first is changed. */
function changeState(state: State, body: string): void {
  const known = ['lockedPeriod', 'preselectedYear', 'accounts', 'series', ...ACCESS_FIELDS];
  const fields = parseBody(body, known, 'The state');
  const locked = dateOrNull(fields, 'lockedPeriod');
  const preselected = integer(fields, 'preselectedYear', 1);
  if (preselected !== undefined && !state.years.some((year) => year.id === preselected)) {
    throw new ControlError(`There is no financial year with id ${preselected}.`);
  }
  const changes = [
    ...list(fields, 'accounts').map((one) => accountChange(state, one)),
    ...list(fields, 'series').map((one) => seriesChange(state, one)),
    ...accessChanges(state, fields),
  ];
  if (locked !== undefined) state.lockedPeriod = locked;
  if (preselected !== undefined) state.preselectedYear = preselected;
  for (const change of changes) change();
}

function moveClock({ state, nowMs }: Controlled, body: string): number {
  const fields = parseBody(body, ['advanceSeconds', 'now'], 'The clock');
  const advance = integer(fields, 'advanceSeconds', 0);
  const now = integer(fields, 'now', 0);
  if ((advance === undefined) === (now === undefined)) {
    throw new ControlError('The clock takes either "advanceSeconds" or "now" (unix seconds).');
  }
  const stepMs = now === undefined ? (advance ?? 0) * 1000 : now * 1000 - nowMs;
  state.clockOffsetMs += stepMs;
  return nowMs + stepMs;
}

function clockBody(nowMs: number): object {
  return { now: Math.floor(nowMs / 1000), iso: new Date(nowMs).toISOString() };
}

/** Integer öre by account over all vouchers, debit positive; an account that was used and came back to nothing is 0. */
export function trialBalance(state: State, financialYear: string | null): Record<string, number> {
  const balance: Record<string, number> = {};
  for (const voucher of state.vouchers) {
    if (financialYear !== null && String(voucher.financialYear) !== financialYear) continue;
    for (const row of voucher.rows) {
      const account = String(row.account);
      balance[account] = (balance[account] ?? 0) + row.debitOre - row.creditOre;
    }
  }
  return balance;
}

/** The control API. It is not Fortnox's: it stands beside it, takes no token and is not counted in any limit. */
export function control(controlled: Controlled, method: string, url: URL, body: string): Answer {
  const { state, nowMs } = controlled;
  try {
    switch (`${method} ${url.pathname}`) {
      case 'GET /_emulator':
        return json(200, ROUTES);
      case 'GET /_emulator/health':
        return json(200, { ok: true, emulator: 'fortnox', ...clockBody(nowMs) });
      case 'GET /_emulator/state':
        return json(200, state);
      case 'POST /_emulator/state':
        changeState(state, body);
        return json(200, { ok: true });
      case 'POST /_emulator/reset':
        controlled.reset();
        return json(200, { ok: true });
      case 'GET /_emulator/clock':
        return json(200, clockBody(nowMs));
      case 'POST /_emulator/clock':
        return json(200, clockBody(moveClock(controlled, body)));
      case 'GET /_emulator/requests':
        return json(200, { requests: state.requests });
      case 'GET /_emulator/faults':
        return json(200, { faults: state.faults });
      case 'POST /_emulator/faults': {
        const fault = parseFault(body, state.faultsMade + 1);
        state.faultsMade = fault.id;
        state.faults.push(fault);
        return json(200, fault);
      }
      case 'DELETE /_emulator/faults':
        state.faults = [];
        return json(200, { ok: true });
      case 'GET /_emulator/trial-balance':
        return json(200, trialBalance(state, url.searchParams.get('financialyear')));
      default:
        return json(404, { error: `No such control route: ${method} ${url.pathname}.`, routes: ROUTES });
    }
  } catch (error) {
    if (error instanceof ControlError) return json(400, { error: error.message });
    throw error;
  }
}
