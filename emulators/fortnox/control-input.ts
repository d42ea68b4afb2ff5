import { isDate } from './query.ts';
import { FAULT_KINDS } from './types.ts';
import type { Fault, FaultKind } from './types.ts';

/** A control call that cannot be obeyed: answered 400 with this message. */
export class ControlError extends Error {
  override name = 'ControlError';
}

export type Fields = Readonly<Record<string, unknown>>;

/** How long a hanging call is held when the fault does not say: longer than any client should wait. */
const DEFAULT_HANG_MS = 60_000;

export function parseFields(value: unknown, known: readonly string[], what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ControlError(`${what} must be a JSON object with: ${known.join(', ')}.`);
  }
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) throw new ControlError(`${what} has no "${name}"; it takes: ${known.join(', ')}.`);
  }
  return value as Fields;
}

export function parseBody(body: string, known: readonly string[], what: string): Fields {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body === '' ? '{}' : body);
  } catch {
    throw new ControlError(`${what} must be JSON.`);
  }
  return parseFields(parsed, known, what);
}

export function integer(fields: Fields, name: string, min: number): number | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min) {
    throw new ControlError(`"${name}" must be an integer of at least ${min}.`);
  }
  return value;
}

export function string(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '') throw new ControlError(`"${name}" must be a text that is not empty.`);
  return value;
}

export function boolean(fields: Fields, name: string): boolean | undefined {
  const value = fields[name];
  if (value === undefined || typeof value === 'boolean') return value;
  throw new ControlError(`"${name}" must be true or false.`);
}

export function dateOrNull(fields: Fields, name: string): string | null | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return value;
  if (typeof value === 'string' && isDate(value)) return value;
  throw new ControlError(`"${name}" must be a date YYYY-MM-DD, or null.`);
}

export function list(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name] ?? [];
  if (!Array.isArray(value)) throw new ControlError(`"${name}" must be a list.`);
  return value as readonly unknown[];
}

function faultKind(value: unknown): FaultKind {
  const kind = FAULT_KINDS.find((one) => one === value);
  if (kind === undefined) throw new ControlError(`"kind" must be one of: ${FAULT_KINDS.join(', ')}.`);
  return kind;
}

export function parseFault(body: string, id: number): Fault {
  const fields = parseBody(body, ['kind', 'method', 'path', 'times', 'delayMs'], 'A fault');
  const kind = faultKind(fields.kind);
  const method = string(fields, 'method')?.toUpperCase();
  const path = string(fields, 'path');
  if (path !== undefined && !path.startsWith('/')) throw new ControlError('"path" must start with "/".');
  return {
    id,
    kind,
    ...(method === undefined ? {} : { method }),
    ...(path === undefined ? {} : { path }),
    times: integer(fields, 'times', 1) ?? 1,
    delayMs: integer(fields, 'delayMs', 0) ?? (kind === 'timeout_before' ? DEFAULT_HANG_MS : 0),
  };
}
