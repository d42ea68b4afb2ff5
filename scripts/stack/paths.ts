import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The repository's root. */
export const root = resolve(import.meta.dirname, '../..');

/** Everything the scripts write that git shall not see. */
export const local = join(root, '.local');

/** The Node 24 the project installs for itself, so that functions run on the version they are deployed to. */
export function node24(): string {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const installed = join(root, 'node_modules/node/bin', name);
  return existsSync(installed) ? installed : process.execPath;
}
