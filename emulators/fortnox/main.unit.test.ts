import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { startFortnoxEmulator } from './index.ts';

const MAIN = path.join(__dirname, 'main.ts');
// The project brings its own Node, which runs TypeScript as it is; the one running jest may be older.
const OWN_NODE = path.join(__dirname, '../../node_modules/.bin/node');
const NODE = existsSync(OWN_NODE) ? OWN_NODE : process.execPath;

function run(...args: string[]): { child: ChildProcess; output: () => string } {
  const child = spawn(NODE, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  }
  return { child, output: () => output };
}

describe('npm run emulator:fortnox', () => {
  it('says where it listens and ends cleanly on Ctrl-C', async () => {
    const { child, output } = run('--port', '0');
    while (!output().includes('control')) await once(child.stdout!, 'data');
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output())?.[0] ?? '';
    expect((await fetch(`${url}/_emulator/health`)).status).toBe(200);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('says that a port is taken', async () => {
    const other = await startFortnoxEmulator();
    const { child, output } = run('--port', String(other.port));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(output()).toMatch(`Port ${other.port} is taken by another process.`);
    await other.close();
  });

  it.each([
    ['--port', 'x'],
    ['--prot', '1'],
  ])('refuses %s %s', async (...args) => {
    const { child, output } = run(...args);
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(output()).toMatch('npm run emulator:fortnox');
  });
});
