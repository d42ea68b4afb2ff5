import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { node24, root } from './paths.ts';
import { markVariable, sweep } from './sweep.ts';

/** A long-running part of a stack, its output in a file. */
export interface Part {
  readonly name: string;
  readonly logFile: string;
  /** Resolves when the process ends, with how. */
  readonly ended: Promise<string>;
}

/** The processes of one stack: started together, ended together, even when this process is killed. */
export interface Household {
  readonly mark: string;
  /** A short temporary folder, for what sockets and locks programs insist on; gone with the stack. */
  readonly temporary: string;
  /** Aborted when the household ends, so that nobody waits for its parts any longer. */
  readonly signal: AbortSignal;
  start(name: string, script: string, args: readonly string[], options: PartOptions): Part;
  end(): Promise<void>;
}

export interface PartOptions {
  readonly cwd: string;
  readonly logFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Opens a household with its watchdog. */
export async function openHousehold(): Promise<Household> {
  const mark = randomUUID();
  const temporary = await mkdtemp(join(tmpdir(), 'ij-'));
  const watchdog = spawn(node24(), [join(root, 'scripts/stack/watchdog.ts'), mark, temporary], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const watchdogEnded = exitOf(watchdog);
  watchdog.stdin.on('error', () => undefined);
  const closing = new AbortController();
  let ending: Promise<void> | undefined;

  return {
    mark,
    temporary,
    signal: closing.signal,
    start(name, script, args, { cwd, logFile, environment }) {
      const output = openSync(logFile, 'w');
      const child = spawn(node24(), [script, ...args], {
        cwd,
        // A group of its own: a Ctrl-C meant for us must not end the parts one by one.
        detached: true,
        stdio: ['ignore', output, output],
        env: { ...environment, [markVariable]: mark, TMPDIR: temporary },
      });
      closeSync(output);
      return { name, logFile, ended: exitOf(child) };
    },
    end() {
      ending ??= (async () => {
        closing.abort();
        watchdog.stdin.end();
        await watchdogEnded;
        await sweep(mark);
      })();
      return ending;
    },
  };
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `ended with code ${code}` : `was ended by ${signal}`),
    );
  });
}

/** The last lines of a log file, for people: without colours and blank lines. */
export function tail(file: string, lines = 25): string {
  const readable = readLog(file)
    .split('\n')
    .filter((line) => line.trim() !== '');
  return readable.slice(-lines).join('\n') || '(no output)';
}

/** A log file without terminal colours; empty when there is none yet. */
export function readLog(file: string): string {
  if (!existsSync(file)) return '';
  // Built from its code, so that the escape character reads as meant.
  return readFileSync(file, 'utf8').replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '');
}
