import { Refusal } from './errors.ts';

/** What an input may be at most, before any schema looks at it. Far above what the product's own clients send. */
export const limits = {
  /** A command of a client, or a task. */
  inputBytes: 64 * 1024,
  /** One of Stripe's deliveries: the largest objects it sends are a tenth of this. */
  webhookBytes: 1024 * 1024,
  /** Objects and lists within each other. Also keeps the recursive readers of the libraries within their stack. */
  depth: 16,
  /** How many things below the top, so that a small body cannot cost much. */
  values: 5_000,
} as const;

/** Set on an object, these reach its prototype in some reader or other; no field is called so. */
const prototypeKeys = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Control characters (but tab and line breaks) and the marks that turn text round: they make a name or a note look like
 * another in a voucher or a list. Zero-width joiners stay: emoji and several scripts are written with them.
 */
// Built from numbers, so that the pattern itself can be read.
const range = (from: number, to: number) => `\\u{${from.toString(16)}}-\\u{${to.toString(16)}}`;
const unwantedCharacters = new RegExp(
  `[${range(0x00, 0x08)}${range(0x0b, 0x0c)}${range(0x0e, 0x1f)}${range(0x7f, 0x9f)}${range(0x202a, 0x202e)}${range(0x2066, 0x2069)}]`,
  'u',
);

const longTypes = new Set([
  'type.googleapis.com/google.protobuf.Int64Value',
  'type.googleapis.com/google.protobuf.UInt64Value',
]);

const refused = (reason: string, message: string) => new Refusal('invalid-argument', reason, message);

/** The refusal of a body by its size alone; undefined when it may pass. */
export function sizeProblem(bytes: number, most: number = limits.inputBytes): Refusal | undefined {
  return bytes > most
    ? refused('body-too-large', `The body has ${bytes} bytes; at most ${most} are taken. Send less.`)
    : undefined;
}

/**
 * The refusal of parsed JSON that no schema should have to read: too deep, too much, keys that reach prototypes, text
 * that is not well-formed Unicode or hides what it says, numbers beyond what JSON can carry. undefined: it may pass.
 */
export function inputProblem(input: unknown): Refusal | undefined {
  let count = 0;
  const look = (value: unknown, depth: number): Refusal | undefined => {
    if (++count > limits.values)
      return refused('input-too-large', `The input holds more than ${limits.values} values.`);
    if (typeof value === 'string') return textProblem(value);
    if (typeof value === 'number') {
      return Number.isFinite(value) ? undefined : refused('number-too-large', 'The input holds a number out of range.');
    }
    if (typeof value !== 'object' || value === null) return undefined;
    if (depth >= limits.depth) return refused('input-too-deep', `The input is nested more than ${limits.depth} deep.`);
    if (Array.isArray(value)) return first(value, (inner) => look(inner, depth + 1));
    const marked = longProblem(value);
    if (marked) return marked;
    return first(Object.entries(value), ([key, inner]) => keyProblem(key) ?? look(inner, depth + 1));
  };
  return look(input, 0);
}

function first<T>(values: readonly T[], look: (value: T) => Refusal | undefined): Refusal | undefined {
  for (const value of values) {
    const problem = look(value);
    if (problem) return problem;
  }
  return undefined;
}

function textProblem(text: string): Refusal | undefined {
  if (!text.isWellFormed()) return refused('text-malformed', 'The input holds text that is not well-formed Unicode.');
  return unwantedCharacters.test(text)
    ? refused('text-hidden-characters', 'The input holds control characters or marks that reverse text. Remove them.')
    : undefined;
}

function keyProblem(key: string): Refusal | undefined {
  return prototypeKeys.has(key)
    ? refused('field-not-allowed', 'The input holds a field named __proto__, constructor or prototype.')
    : textProblem(key);
}

/** Native clients mark 64-bit integers with `@type`; the callable protocol's reader throws at any other mark. */
function longProblem(value: object): Refusal | undefined {
  if (!Object.hasOwn(value, '@type')) return undefined;
  const marked = value as { '@type': unknown; value?: unknown };
  const whole = typeof marked.value === 'string' && /^-?\d{1,16}$/.test(marked.value);
  return longTypes.has(String(marked['@type'])) && whole && Number.isSafeInteger(Number(marked.value))
    ? undefined
    : refused('type-not-allowed', 'The input holds an @type that is not a 64-bit integer within JSON’s exact range.');
}
