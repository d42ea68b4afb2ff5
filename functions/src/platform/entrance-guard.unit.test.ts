import { guardedBody, refusedBody } from './entrance-guard.ts';
import { limits } from './limits.ts';

/** A call of a callable with so many bytes in its body; what its guard has to say of it. */
function reasonOf(bytes: number, most?: number): string | undefined {
  const body = { data: 'x'.repeat(bytes - '{"data":""}'.length) };
  const req = { method: 'POST', is: () => true, body, rawBody: Buffer.from(JSON.stringify(body)) };
  let reason: string | undefined;
  const guarded = guardedBody((seen: object) => void (reason = refusedBody(seen)?.reason), most);
  guarded(req);
  return reason;
}

it('a body has at most what every callable takes, or what one with a file in it asks for', () => {
  expect(reasonOf(limits.inputBytes)).toBeUndefined();
  expect(reasonOf(limits.inputBytes + 1)).toBe('body-too-large');
  expect(reasonOf(2_000_000, 2_000_000)).toBeUndefined();
  expect(reasonOf(2_000_001, 2_000_000)).toBe('body-too-large');
});
