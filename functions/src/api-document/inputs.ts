import { z } from 'zod';
import type { Field } from './fields.ts';

/** The part of JSON Schema that zod gives for our inputs. */
interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  enum?: (string | number)[];
  const?: string | number | boolean | null;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
}

/** The fields that a callable takes, by its schema. Meanings are the TypeScript type's, by path. */
export function inputFields(input: z.ZodType, typed: readonly Field[]): Field[] {
  const schema = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as Schema;
  const meanings = new Map(typed.map(({ path, meaning }) => [path.replaceAll('?', ''), meaning]));
  return below(schema, '').map((field) => ({ ...field, meaning: meanings.get(field.path.replaceAll('?', '')) ?? '' }));
}

function below(schema: Schema, prefix: string): Field[] {
  return Object.entries(propertiesOf(schema)).flatMap(([name, { inner, required }]) => {
    const field = { path: `${prefix}${name}${required ? '' : '?'}`, type: words(inner), meaning: '' };
    const mark = inner.items ? '[]' : '';
    return [field, ...below(inner.items ?? inner, `${prefix}${name}${mark}.`)];
  });
}

/** Of a choice between objects, every field that one of them takes. */
function propertiesOf(schema: Schema): Record<string, { inner: Schema; required: boolean }> {
  const kinds = schema.anyOf ?? schema.oneOf ?? schema.allOf ?? [schema];
  const found: Record<string, { inner: Schema; required: boolean }> = {};
  for (const kind of kinds) {
    for (const [name, inner] of Object.entries(kind.properties ?? {})) {
      found[name] = { inner, required: kinds.every(({ required }) => required?.includes(name) === true) };
    }
  }
  return found;
}

function words(schema: Schema): string {
  if (schema.anyOf) return schema.anyOf.map(words).join(' or ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(' or ');
  if (schema.type === 'string') return textWords(schema);
  if (schema.type === 'integer' || schema.type === 'number')
    return `${schema.type}${range(schema.minimum, schema.maximum)}`;
  if (schema.type === 'array') return `list${range(schema.minItems, schema.maxItems)}`;
  if (schema.type === 'object') return 'map';
  return schema.type ?? 'see below';
}

function textWords({ format, pattern, minLength, maxLength }: Schema): string {
  if (format === 'date') return 'date, `2026-11-23`';
  if (format === 'date-time') return 'time, `2026-11-23T09:00:00+01:00`';
  return `text${range(minLength, maxLength, ' characters')}${pattern === undefined ? '' : `, \`${pattern}\``}`;
}

/** Bounds that only say what an integer can hold at most say nothing. */
function range(from?: number, to?: number, unit = ''): string {
  const least = from === undefined || from === Number.MIN_SAFE_INTEGER ? undefined : from;
  const most = to === undefined || to === Number.MAX_SAFE_INTEGER ? undefined : to;
  if (least === undefined && most === undefined) return '';
  if (least === undefined) return `, at most ${most}${unit}`;
  return most === undefined ? `, at least ${least}${unit}` : `, ${least} to ${most}${unit}`;
}
