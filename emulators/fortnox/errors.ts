import type { Answer } from './types.ts';

/** Fortnox's codes that are known; the texts beside them are Fortnox's own where a source has them. */
export const CODE = {
  systemException: 1000003,
  badAccept: 1000030,
  badContentType: 1000031,
  notAlphanumeric: 2000106,
  tooLong: 2000107,
  notNumeric: 2000108,
  badCharacters: 2000359,
  lockedPeriod: 2000401,
  accountMissing: 2000423,
  accountInactive: 2000550,
  badFilter: 2000587,
  badParameter: 2000588,
  noScope: 2000663,
  noSuchRoute: 2000762,
  noLicence: 2001101,
  noApiLicence: 2001103,
  accountUnusable: 2001265,
  emptyBody: 2001392,
  badField: 2001399,
  badJson: 2002115,
  notFourDigits: 2002462,
  /** Fortnox refuses, but no source gives its code: an unbalanced voucher, a series that is not manual, a date outside the year. */
  unpublished: 0,
} as const;

const JSON_TYPE = { 'content-type': 'application/json' };

/** Thrown inside the emulator, answered at its edge; state must not have changed before it. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly answer: Answer;

  constructor(answer: Answer, message: string) {
    super(message);
    this.answer = answer;
  }
}

export function json(status: number, value: unknown): Answer {
  return { status, headers: JSON_TYPE, body: JSON.stringify(value) };
}

/** A 400 names its fields in lower case (seen in recorded live traffic). */
export function badRequest(code: number, message: string): Refusal {
  return new Refusal(json(400, { ErrorInformation: { error: 1, message, code } }), message);
}

/** A 404 names them in Pascal case. */
export function notFound(code: number, message: string): Refusal {
  return new Refusal(json(404, { ErrorInformation: { Error: 1, Message: message, Code: code } }), message);
}

export function noSuchRoute(): Refusal {
  return notFound(CODE.noSuchRoute, 'No such route');
}

export function unauthorized(): Answer {
  return json(401, { message: 'unauthorized' });
}

export function tooManyRequests(): Answer {
  return { status: 429, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'Too Many Requests' };
}

export function systemError(): Answer {
  const message = 'System exception';
  return json(500, { ErrorInformation: { Error: 1, Message: message, Code: CODE.systemException } });
}

export function htmlPage(): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: '<!DOCTYPE html><html><head><title>Fortnox</title></head><body><h1>Vi uppdaterar Fortnox</h1></body></html>',
  };
}
