import type { FunctionsErrorCode } from 'firebase-functions/https';

/**
 * A refusal: the caller (or the world) asked for something that is not to be. It reaches the client as an HttpsError
 * with this code, a message a person can act on, and `details.reason` for programs. Everything else that is thrown
 * is ours to mend and leaves as a bare `internal`.
 */
export class Refusal extends Error {
  readonly code: FunctionsErrorCode;
  readonly reason: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;

  constructor(
    code: FunctionsErrorCode,
    reason: string,
    message: string,
    details: Record<string, string | number | boolean> = {},
  ) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
    this.reason = reason;
    this.details = details;
  }
}

/** What an unknown thrown thing says, in one line. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === 'string' ? error : JSON.stringify(error);
}

/** gRPC status codes the Admin SDK throws. */
const ALREADY_EXISTS = 6;
const FAILED_PRECONDITION = 9;
const ABORTED = 10;

/** True for the error `create()` gives when the document is there already. */
export function isAlreadyExists(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === ALREADY_EXISTS;
}

/** True for the error of an update of a document that is not the version it was to be. (Of a query without its index, too.) */
export function isFailedPrecondition(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === FAILED_PRECONDITION;
}

/** True for the error of a transaction that others on the same documents kept from committing, in every retry. */
export function isContention(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === ABORTED;
}
