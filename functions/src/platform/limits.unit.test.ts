import fc from 'fast-check';
import { inputProblem, limits, sizeProblem } from './limits.ts';

const reasonOf = (input: unknown): string | undefined => inputProblem(input)?.reason;

function nested(depth: number, inside: unknown): unknown {
  let value = inside;
  for (let i = 0; i < depth; i++) value = i % 2 ? { a: value } : [value];
  return value;
}

it('lets ordinary input pass', () => {
  const input = {
    productId: 'programme',
    quantity: 2,
    note: 'Räksmörgås, 日本語, العربية, 👩‍👩‍👧 and\ta tab\r\nand lines',
    nothing: null,
    list: [true, false, 1.5, -1],
    long: { '@type': 'type.googleapis.com/google.protobuf.Int64Value', value: '9007199254740991' },
  };
  expect(reasonOf(input)).toBeUndefined();
  expect(reasonOf(undefined)).toBeUndefined();
});

it.each([
  ['input-too-deep', nested(limits.depth + 1, 1)],
  ['input-too-deep', nested(100_000, 1)],
  ['input-too-large', Array.from({ length: limits.values }, () => 1)],
  ['number-too-large', { amount: Infinity }],
  ['number-too-large', [NaN]],
  ['field-not-allowed', JSON.parse('{"a":{"__proto__":1}}')],
  ['field-not-allowed', [{ constructor: 1 }]],
  ['text-malformed', 'a\ud800'],
  ['text-malformed', { '\udc00': 1 }],
  ['text-hidden-characters', 'a\u0000'],
  ['text-hidden-characters', 'a\u0085'],
  ['text-hidden-characters', '\u202egnp.exe'],
  ['text-hidden-characters', ['\u2066']],
  ['type-not-allowed', { '@type': 'type.googleapis.com/google.protobuf.Int64Value', value: '9007199254740993' }],
  ['type-not-allowed', { '@type': 'type.googleapis.com/google.protobuf.Int64Value', value: '1e3' }],
  ['type-not-allowed', { '@type': {}, value: '1' }],
])('refuses with %s', (reason, input) => {
  expect(reasonOf(input)).toBe(reason);
});

it('takes exactly the depth and the number of values it says', () => {
  expect(reasonOf(nested(limits.depth, 1))).toBeUndefined();
  expect(reasonOf(Array.from({ length: limits.values - 1 }, () => 1))).toBeUndefined();
});

it('never throws, whatever JSON holds, and what passes is well-formed text', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 20, stringUnit: 'binary' }), (input) => {
      const problem = inputProblem(input);
      if (!problem) expect(JSON.stringify(input).isWellFormed()).toBe(true);
    }),
  );
});

it('measures bodies', () => {
  expect(sizeProblem(limits.inputBytes)).toBeUndefined();
  expect(sizeProblem(limits.inputBytes + 1)).toMatchObject({ code: 'invalid-argument', reason: 'body-too-large' });
});
