import { parse } from 'csv-parse/sync';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { z } from 'zod';
import type { BusinessDate } from '../../platform/clock.ts';
import { Refusal } from '../../platform/errors.ts';
import { parseMinor } from '../../platform/fortnox/index.ts';
import { minor, negate, type Currency, type Minor } from '../../platform/money.ts';
import type { BankRow } from './matching.ts';

/** A bank's statement of one account. */
export interface Statement {
  /** null: the file does not say. */
  currency: Currency | null;
  from: BusinessDate;
  to: BusinessDate;
  rows: BankRow[];
}

function unreadable(why: string): never {
  throw new Refusal('invalid-argument', 'statement-unreadable', `The statement cannot be read: ${why}.`);
}

/** Headings of Swedish banks' files, and English ones. */
const dateHeadings = ['bokföringsdag', 'bokföringsdatum', 'bokförd', 'datum', 'booking date', 'date'];
const amountHeadings = ['belopp', 'insättning/uttag', 'amount'];

/** A CSV file with a heading: a day, an amount with two decimals (comma or point), and whatever else is the row's text. */
export function readCsv(content: string): Statement {
  const table = tableOf(content);
  const heading = table.findIndex((row) => find(row, dateHeadings) >= 0 && find(row, amountHeadings) >= 0);
  const names = table[heading];
  if (!names) {
    unreadable(`no heading names a day (${dateHeadings.join(', ')}) and an amount (${amountHeadings.join(', ')})`);
  }
  const [day, amount] = [find(names, dateHeadings), find(names, amountHeadings)];
  const rows = table.slice(heading + 1).map((row): BankRow => {
    const text = row.filter((_, at) => at !== day && at !== amount).join(' ');
    return { date: dayOf(row[day]), amountMinor: amountOf(row[amount]), text: text.trim() };
  });
  return { currency: null, ...periodOf(rows), rows };
}

function tableOf(content: string): string[][] {
  const options = { bom: true, trim: true, skip_empty_lines: true, relax_column_count: true };
  const delimiter = [';', '\t', ','].find((one) => content.split(/\r?\n/, 3).some((line) => line.includes(one))) ?? ',';
  try {
    return parse(content, { ...options, delimiter });
  } catch (error) {
    return unreadable(error instanceof Error ? error.message : 'it is no CSV');
  }
}

const find = (row: readonly string[], headings: readonly string[]): number => {
  const names = row.map((name) => name.toLowerCase());
  return headings.map((heading) => names.indexOf(heading)).find((at) => at >= 0) ?? -1;
};

function dayOf(text: string | undefined): BusinessDate {
  const day = z.iso.date().safeParse(text?.slice(0, 10));
  return day.success ? day.data : unreadable(`"${text ?? ''}" is no day as 2026-11-23`);
}

/** "-1 234,50" and "1234.5"; both a comma and a point would leave open which is which. */
function amountOf(text: string | undefined): Minor {
  const digits = (text ?? '').replace(/[\s\u00a0]/g, '').replace('−', '-');
  const plain = /^[+-]?\d+([.,]\d{1,2})?$/.test(digits) ? Number(digits.replace(',', '.')) : Number.NaN;
  const amount = parseMinor(plain);
  return amount === null ? unreadable(`"${text ?? ''}" is no amount as 1234,50`) : minor(amount);
}

function periodOf(rows: readonly BankRow[]): Pick<Statement, 'from' | 'to'> {
  const days = rows.map(({ date }) => date).sort();
  const [from] = days;
  const to = days.at(-1);
  return from === undefined || to === undefined ? unreadable('it has no rows') : { from, to };
}

const many = <T extends z.ZodType>(schema: T) =>
  z.preprocess(
    (value): unknown => (value === undefined ? [] : Array.isArray(value) ? value : [value]),
    z.array(schema),
  );

/** A day, or a moment of which the day is wanted. */
const when = z.object({ Dt: z.string().optional(), DtTm: z.string().optional() });
const money = z.object({ '#text': z.string(), '@Ccy': z.string() });

const entrySchema = z.looseObject({
  Amt: money,
  CdtDbtInd: z.enum(['CRDT', 'DBIT']),
  Sts: z.union([z.string(), z.object({ Cd: z.string() })]).optional(),
  BookgDt: when.optional(),
  ValDt: when.optional(),
});

const statementSchema = z.looseObject({
  FrToDt: z.object({ FrDtTm: z.string(), ToDtTm: z.string() }).optional(),
  Acct: z.looseObject({
    Id: z.looseObject({ IBAN: z.string().optional(), Othr: z.looseObject({ Id: z.string() }).optional() }),
    Ccy: z.string().optional(),
  }),
  Ntry: many(entrySchema),
});

const documentSchema = z.object({
  Document: z.looseObject({ BkToCstmrStmt: z.looseObject({ Stmt: many(statementSchema) }) }),
});

/** What opens a document, and a tag as ISO 20022 writes it: short, its attributes in quotation marks. */
const declaration = /^\uFEFF?\s*<\?xml [^<>?]{0,200}\?>/;
const brackets = /<[^<>]{0,1000}>|</g;
const tag = /^<\/?[\w:.-]+(\s+[\w:.-]+\s*=\s*("[^"]*"|'[^']*'))*\s*\/?>$/;
const deepest = 32;
/** Ten thousand rows with thirty elements each: as much as the largest statement has. */
const mostTags = 600_000;
/** Accounts that a refusal names. */
const mostNamed = 10;

/**
 * Lets through elements and their text only, so that the reader behind it has no entities to expand (a DOCTYPE), nothing to
 * search through the whole file for the end of (comments, open quotation marks), and no depth to fall into: what it costs
 * grows as the file does.
 */
function requirePlain(content: string): void {
  const body = content.replace(declaration, '');
  let [depth, tags] = [0, 0];
  for (const { 0: part, index } of body.matchAll(brackets)) {
    if (!tag.test(part)) unreadable(`"${body.slice(index, index + 40)}" begins no element as camt.053 has them`);
    if (part.startsWith('</')) depth -= 1;
    else if (!part.endsWith('/>')) depth += 1;
    if (++tags > mostTags) unreadable(`it has more than ${mostTags} tags`);
    if (depth > deepest) unreadable(`its elements are more than ${deepest} deep`);
  }
}

/** An ISO 20022 statement (camt.053). With several accounts in the file, `account` (IBAN or number) says which. */
export function readCamt(content: string, account: string | undefined): Statement {
  requirePlain(content);
  const valid = XMLValidator.validate(content);
  if (valid !== true) unreadable(valid.err.msg);
  const options = { ignoreAttributes: false, attributeNamePrefix: '@', parseTagValue: false, removeNSPrefix: true };
  const parsed = documentSchema.safeParse(new XMLParser(options).parse(content));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return unreadable(`it is no camt.053 (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''})`);
  }
  const all = parsed.data.Document.BkToCstmrStmt.Stmt;
  const mine = account === undefined ? all : all.filter((one) => accountOf(one) === bare(account));
  const accounts = new Set(mine.map(accountOf));
  if (accounts.size !== 1) {
    const some = [...new Set(all.map(accountOf))].slice(0, mostNamed);
    unreadable(`its accounts are ${some.join(', ')}: name one`);
  }
  const booked = mine.flatMap(({ Ntry }) => Ntry.filter(({ Sts }) => statusOf(Sts) === 'BOOK'));
  const currencies = new Set(booked.map(({ Amt }) => Amt['@Ccy']));
  if (currencies.size > 1) unreadable('one account has rows in several currencies');
  const rows = booked.map(rowOf);
  const days = mine.flatMap(({ FrToDt }) => (FrToDt ? [FrToDt.FrDtTm.slice(0, 10), FrToDt.ToDtTm.slice(0, 10)] : []));
  const [from] = days.sort();
  const to = days.at(-1);
  const period = from === undefined || to === undefined ? periodOf(rows) : { from: dayOf(from), to: dayOf(to) };
  return { currency: [...currencies][0] ?? mine[0]?.Acct.Ccy ?? null, ...period, rows };
}

const bare = (account: string): string => account.replace(/[\s-]/g, '').toUpperCase();
const accountOf = ({ Acct }: z.infer<typeof statementSchema>): string => bare(Acct.Id.IBAN ?? Acct.Id.Othr?.Id ?? '');
const statusOf = (status: z.infer<typeof entrySchema>['Sts']): string =>
  status === undefined ? 'BOOK' : typeof status === 'string' ? status : status.Cd;

function rowOf(entry: z.infer<typeof entrySchema>): BankRow {
  const { Amt, CdtDbtInd, BookgDt, ValDt } = entry;
  const date = dayOf(BookgDt?.Dt ?? BookgDt?.DtTm ?? ValDt?.Dt ?? ValDt?.DtTm);
  const amount = amountOf(Amt['#text']);
  return { date, amountMinor: CdtDbtInd === 'CRDT' ? amount : negate(amount), text: wordsOf(entry).join(' ') };
}

/** Names, references and messages, wherever a bank puts them. */
function wordsOf(value: unknown, key = ''): string[] {
  if (typeof value === 'string')
    return /^(Ustrd|Nm|AddtlNtryInf|AddtlTxInf|EndToEndId|NtryRef)$/.test(key) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((one: unknown) => wordsOf(one, key));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => wordsOf(inner, name));
}
