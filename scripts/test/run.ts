import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { node24, root } from '../stack/paths.ts';

export interface Outcome {
  readonly ok: boolean;
  /** Everything it printed, both streams in order. */
  readonly output: string;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Called with every line as it comes. */
  readonly onLine?: (line: string) => void;
}

/** Runs one of the project's own programs (a script of a package in node_modules, or ours) under Node 24. */
export function run(script: string, args: readonly string[], options: RunOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    const chunks: string[] = [];
    const child = spawn(node24(), [join(root, script), ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...process.env,
        PATH: [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter),
        ...options.environment,
      },
    });
    const stop = () => child.kill('SIGTERM');
    options.signal.addEventListener('abort', stop, { once: true });
    let rest = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        chunks.push(chunk);
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        lines.forEach((line) => options.onLine?.(line));
      });
    }
    const done = (ok: boolean) => {
      options.signal.removeEventListener('abort', stop);
      resolve({ ok, output: chunks.join('') });
    };
    child.once('error', (error) => {
      chunks.push(error.message);
      done(false);
    });
    child.once('close', (code) => done(code === 0));
  });
}
