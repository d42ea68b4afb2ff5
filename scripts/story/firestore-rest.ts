import { getJson, request } from './http.ts';

/** The few calls of Firestore's REST API that the story needs, so that it reads documents as a client does: under the rules. */
export type Fields = Record<string, unknown>;

interface RestValue {
  nullValue?: null;
  booleanValue?: boolean;
  integerValue?: string;
  doubleValue?: number;
  stringValue?: string;
  timestampValue?: string;
  mapValue?: { fields?: Record<string, RestValue> };
  arrayValue?: { values?: RestValue[] };
}

export interface RestDocument {
  name: string;
  fields?: Record<string, RestValue>;
}

function encode(value: unknown): RestValue {
  if (value === null) return { nullValue: null };
  if (value instanceof Date) return { timestampValue: value.toISOString() };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(encode) } };
  switch (typeof value) {
    case 'boolean':
      return { booleanValue: value };
    case 'number':
      return Number.isInteger(value) ? { integerValue: String(value) } : { doubleValue: value };
    case 'string':
      return { stringValue: value };
    case 'object':
      return { mapValue: { fields: encodeFields(value as Fields) } };
    default:
      throw new Error(`Cannot store a ${typeof value}.`);
  }
}

const encodeFields = (fields: Fields): Record<string, RestValue> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, encode(value)]));

function decode(value: RestValue): unknown {
  if (value.mapValue) return decodeFields(value.mapValue.fields ?? {});
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(decode);
  if (value.integerValue !== undefined) return Number(value.integerValue);
  return value.booleanValue ?? value.doubleValue ?? value.stringValue ?? value.timestampValue ?? null;
}

const decodeFields = (fields: Record<string, RestValue>): Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, decode(value)]));

export interface Documents {
  read(path: string, token: string): Promise<Fields | undefined>;
  list(path: string, token: string): Promise<{ id: string; fields: Fields }[]>;
  write(path: string, fields: Fields, token: string): Promise<void>;
}

/** The emulator's word for an administrator that no rule binds; used for seeding only. */
export const owner = 'owner';

export function documentsOf(firestoreUrl: string, projectId: string): Documents {
  const base = `${firestoreUrl}/v1/projects/${projectId}/databases/(default)/documents`;
  const headers = (token: string) => ({ Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' });
  return {
    async read(path, token) {
      const response = await fetch(`${base}/${path}`, { headers: headers(token) });
      if (response.status === 404) return undefined;
      if (!response.ok)
        throw new Error(`Reading ${path} answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
      return decodeFields(((await response.json()) as RestDocument).fields ?? {});
    },
    async list(path, token) {
      const page = await getJson<{ documents?: RestDocument[] }>(`${base}/${path}?pageSize=300`, headers(token));
      return (page.documents ?? []).map((document) => ({
        id: document.name.split('/').at(-1) ?? '',
        fields: decodeFields(document.fields ?? {}),
      }));
    },
    async write(path, fields, token) {
      await request(`${base}/${path}`, {
        method: 'PATCH',
        headers: headers(token),
        body: JSON.stringify({ fields: encodeFields(fields) }),
      });
    },
  };
}
