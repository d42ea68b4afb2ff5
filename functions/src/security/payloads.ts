import { gzipSync } from 'node:zlib';
import type { Entrance } from './entrances.ts';

/** Requests that a client must not send. Each names itself; the answer to each is a 4xx, and nothing else happens. */
export interface Hostile {
  name: string;
  method?: string;
  /** Beside or in the place of the JSON content type and the caller's token; names may repeat. */
  headers?: [string, string][];
  /** Headers left out that are sent otherwise. */
  without?: string[];
  body: string | Buffer;
}

/** Written into JSON as they are: what JSON.stringify cannot write. */
const raw = (text: string) => `@raw(${text})`;
const json = (value: unknown): string => JSON.stringify(value).replace(/"@raw\(([^)]*)\)"/g, '$1');

const depth = 10_000;
const deepList = '['.repeat(depth) + ']'.repeat(depth);
const deepObject = '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);

/** No field of any input takes one of these. */
const badValues: readonly [string, unknown][] = [
  ['null', null],
  ['a list', []],
  ['a list of what it should be', [raw('"programme"')]],
  ['an object', {}],
  ['an object that answers as text', { toString: 'programme', valueOf: 'programme', length: 9 }],
  ['zero', 0],
  ['a negative number', -1],
  ['a fraction', 1.5],
  ['1e400', raw('1e400')],
  ['minus 1e400', raw('-1e400')],
  ['more than fits a double', raw('9007199254740993')],
  ['empty text', ''],
  ['a blank', ' '],
  ['a NUL', 'programme\u0000'],
  ['a NUL, percent-encoded', 'programme%00'],
  ['a line break', 'programme\n'],
  ['a right-to-left override', '\u202eemmargorp'],
  ['a right-to-left mark', 'programme\u200f'],
  ['a lone surrogate', raw('"programme\\ud800"')],
  ['a zero-width space', 'pro\u200bgramme'],
  ['a byte-order mark', '\ufeffprogramme'],
  ['a Cyrillic o', 'pr\u043egramme'],
  ['full-width letters', '\uff50rogramme'],
  ['a combining letter', 'prog\u0301ramme'],
  ['10,000 letters', 'a'.repeat(10_000)],
  ['a path upwards', '../products/programme'],
  ['a path downwards', 'programme/prices/one'],
  ['a dot', '.'],
  ['two dots', '..'],
  ['a name that Firestore keeps for itself', '__programme__'],
  ['a prototype as text', '__proto__'],
  ['a template', '${7*7}{{7*7}}'],
  ['a script', '<script>alert(1)</script>'],
  ['a query', "' OR '1'='1"],
  ['another site', 'https://evil.example/return'],
  ['our site as a user name', 'http://127.0.0.1:5000@evil.example/'],
  ['a script address', 'javascript:alert(1)'],
];

/** Numbers and truth as text: some ids are written like that. */
const textForOthers: readonly [string, unknown][] = [
  ['a number as text', '1'],
  ['Infinity as text', 'Infinity'],
  ['NaN as text', 'NaN'],
  ['truth as text', 'true'],
];

/** Of these, what somebody may well write in a sentence. It is kept and shown as text, never run and never a path. */
const rightAsWords = new Set([
  'a NUL, percent-encoded',
  'a Cyrillic o',
  'full-width letters',
  'a combining letter',
  'a path upwards',
  'a path downwards',
  'a dot',
  'two dots',
  'a name that Firestore keeps for itself',
  'a prototype as text',
  'a template',
  'a script',
  'a query',
  'another site',
  'our site as a user name',
  'a script address',
]);

const badFor = (good: unknown) => (typeof good === 'string' ? badValues : [...badValues, ...textForOthers]);

const withField = (input: object, key: string, value: unknown) => ({ ...input, [key]: value });

function without(input: Record<string, unknown>, key: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(input).filter(([other]) => other !== key));
}

/** Inputs that are wrong inside, as JSON text. */
export function wrongInputs({ input, optional, words, lines }: Entrance): { name: string; input: string }[] {
  const fields = Object.keys(input);
  const replaced = fields.flatMap((field) =>
    badFor(input[field])
      .filter(([what]) => !(words.includes(field) && rightAsWords.has(what)))
      .filter(([what]) => !(lines.includes(field) && what === 'a line break'))
      .map(([what, value]) => ({ name: `${field}: ${what}`, input: json(withField(input, field, value)) })),
  );
  const missing = fields
    .filter((field) => !optional.includes(field))
    .map((field) => ({ name: `without ${field}`, input: json(without(input, field)) }));
  const good = json(input);
  const fieldsText = good.slice(1, -1);
  const and = fieldsText ? `,${fieldsText}` : '';
  const whole: [string, string][] = [
    ['an unknown field', json(withField(input, 'amountMinor', 1))],
    ['a field of another’s', json(withField(input, 'userId', 'customer-2'))],
    ['a field in other letters', json(withField(input, 'PRODUCTID', 'programme'))],
    ['__proto__ beside the fields', `{"__proto__":{"admin":true}${and}}`],
    ['the fields by __proto__', `{"__proto__":${good.replace('{}', '{"a":1}')}}`],
    ['constructor', `{"constructor":{"prototype":{"admin":true}}${and}}`],
    ['prototype', `{"prototype":{"admin":true}${and}}`],
    ['an empty key', `{"":1${and}}`],
    ['a key with a NUL', `{"a\\u0000":1${and}}`],
    ['a key of a lone surrogate', `{"\\ud800":1${and}}`],
    ['a list', `[${good}]`],
    ['text', '"programme"'],
    ['a number', '42'],
    ['1e400', '1e400'],
    ['false', 'false'],
    ['objects 10,000 deep', `{"a":${deepObject}${and}}`],
    ['lists 10,000 deep', `{"a":${deepList}${and}}`],
    ['lists 10,000 deep, alone', deepList],
    ['10,000 fields', `{${Array.from({ length: 10_000 }, (_, i) => `"f${i}":1`).join(',')}${and}}`],
    ['10,000 values', `{"a":[${'1,'.repeat(9_999)}1]${and}}`],
    ['an unknown @type', `{"a":{"@type":"type.googleapis.com/evil","value":"1"}${and}}`],
    ['an @type in the place of the input', '{"@type":"type.googleapis.com/google.protobuf.Int64Value","value":"x"}'],
    ['a long that is none', `{"a":{"@type":"type.googleapis.com/google.protobuf.Int64Value","value":"12x"}${and}}`],
    ['text over 1 MiB', `{"a":"${'x'.repeat(1024 * 1024)}"${and}}`],
  ];
  return [...replaced, ...missing, ...whole.map(([name, text]) => ({ name, input: text }))];
}

/** Requests that are wrong around a good body, of which `most` bytes are taken. */
export function wrongRequests(good: string, most = 1024 * 1024): Hostile[] {
  const typed = (type: string): Hostile => ({
    name: `content type ${type}`,
    headers: [['Content-Type', type]],
    without: ['Content-Type'],
    body: good,
  });
  return [
    ...['GET', 'PUT', 'PATCH', 'DELETE'].map((method) => ({ name: `method ${method}`, method, body: good })),
    { name: 'method HEAD', method: 'HEAD', body: '' },
    ...['text/plain', 'text/html', 'application/xml', 'application/x-www-form-urlencoded', 'multipart/form-data'].map(
      typed,
    ),
    typed('application/json; charset=klingon'),
    typed('application/json; charset=utf-16le'),
    typed('application/jsonp'),
    typed(''),
    { name: 'no content type', without: ['Content-Type'], body: good },
    { name: 'no body', body: '' },
    { name: 'JSON cut short', body: good.slice(0, -1) },
    { name: 'no JSON', body: '{data:{}}' },
    { name: 'two JSON texts', body: `${good}${good}` },
    { name: 'NaN', body: good.replace(/\{/, '{"a":NaN,') },
    { name: 'Infinity', body: good.replace(/\{/, '{"a":-Infinity,') },
    { name: 'bytes that are no UTF-8', body: Buffer.from([0xff, 0xfe, 0x7b, 0x00, 0x7d]) },
    { name: 'null', body: 'null' },
    { name: 'a list', body: '[]' },
    { name: 'text', body: '"data"' },
    { name: 'a list of it', body: `[${good}]` },
    { name: 'no gzip', headers: [['Content-Encoding', 'gzip']], body: good },
    { name: 'an unknown encoding', headers: [['Content-Encoding', 'zip']], body: good },
    {
      name: 'gzip that grows over the limit',
      headers: [['Content-Encoding', 'gzip']],
      body: gzipSync(`${good.slice(0, -1)}${' '.repeat(4 * most)}}`),
    },
    { name: 'blanks over the limit', body: `${good}${' '.repeat(most)}` },
    {
      name: 'two content types',
      headers: [
        ['Content-Type', 'text/plain'],
        ['Content-Type', 'application/json'],
      ],
      without: ['Content-Type'],
      body: good,
    },
    {
      name: 'two lengths',
      headers: [
        ['Content-Length', '2'],
        ['Content-Length', String(Buffer.byteLength(good))],
      ],
      body: good,
    },
  ];
}

/** What only the callable protocol has around its input. */
export function wrongEnvelopes(input: string): Hostile[] {
  return [
    { name: 'the input without its envelope', body: input },
    { name: 'an empty envelope', body: '{}' },
    { name: 'a field beside data', body: `{"data":${input},"admin":true}` },
    { name: '__proto__ beside data', body: `{"data":${input},"__proto__":{"admin":true}}` },
    { name: 'data by __proto__', body: `{"__proto__":{"data":${input}}}` },
  ];
}
