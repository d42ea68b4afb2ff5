/** An error as the Firestore client raises it: a gRPC status code, and a message that begins with it. */
export interface GrpcError extends Error {
  readonly code: number;
  readonly details: string;
}

const NAMES = {
  3: 'INVALID_ARGUMENT',
  5: 'NOT_FOUND',
  6: 'ALREADY_EXISTS',
  9: 'FAILED_PRECONDITION',
  10: 'ABORTED',
} as const;

export type GrpcCode = keyof typeof NAMES;

/** The error the server would have answered with. */
export function grpcError(code: GrpcCode, details: string): GrpcError {
  return Object.assign(new Error(`${code} ${NAMES[code]}: ${details}`), { code, details });
}

/** For what the real Firestore can do and the twin cannot: loud, so that a test never passes on something not done. */
export function notInSubset(what: string): Error {
  return new Error(
    `${what} is not in the in-memory twin's subset of Firestore. Use what the twin supports, ` +
      'or add it to the twin together with a case in the contract suite.',
  );
}

type Class = { readonly prototype: object; readonly name: string };

/**
 * Gives the twin's class a throwing member for every public member of the real class that it lacks,
 * so that a call outside the subset names itself instead of failing as "not a function" or doing nothing.
 */
export function refuseTheRest(twin: Class, real: Class): void {
  for (let proto: object = real.prototype; proto !== Object.prototype; proto = Object.getPrototypeOf(proto) as object) {
    for (const name of Object.getOwnPropertyNames(proto)) {
      if (name in twin.prototype || name.startsWith('_') || name === 'toJSON') continue;
      const refuse = (): never => {
        throw notInSubset(`${real.name}.${name}`);
      };
      const isGetter = Object.getOwnPropertyDescriptor(proto, name)?.get !== undefined;
      Object.defineProperty(twin.prototype, name, isGetter ? { get: refuse } : { value: refuse });
    }
  }
}
