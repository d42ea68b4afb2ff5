/** Bodies of v2 requests: JSON, brought into the shape that forms decode to, so that one table checks both. */
import { badParam } from './errors.ts';
import type { Tree } from './form.ts';

const DEEPEST = 10;

/** Texts, lists and objects; null unsets. Numbers and booleans are refused: no v2 parameter the emulator has is one. */
export function decodeJson(text: string): Tree {
  if (text.trim() === '') return Object.create(null) as Tree;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badParam('', 'Invalid request: the body is not JSON, as v2 requests are.', 'invalid_fields');
  }
  const tree = treeOf(value, '', 0);
  if (typeof tree === 'string' || Array.isArray(value)) {
    throw badParam('', 'Invalid request: the body is not a JSON object.', 'invalid_fields');
  }
  return tree;
}

function treeOf(value: unknown, path: string, depth: number): string | Tree {
  if (depth > DEEPEST) throw badParam(path, `${path} is nested too deeply.`, 'invalid_fields');
  if (typeof value === 'string') return value;
  if (value === null) return '';
  if (typeof value !== 'object') {
    throw badParam(
      path,
      `Invalid ${path}: a ${typeof value} where a string, a list or an object belongs.`,
      'invalid_fields',
    );
  }
  const tree = Object.create(null) as Tree;
  for (const [key, item] of Object.entries(value)) {
    tree[key] = treeOf(item, path === '' ? key : `${path}.${key}`, depth + 1);
  }
  return tree;
}
