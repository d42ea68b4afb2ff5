import { execFile } from 'node:child_process';
import { readFile, readdir, readlink } from 'node:fs/promises';

export interface PortOwner {
  readonly pid: number;
  readonly command: string;
}

/** The process that listens on a TCP port of this machine, when it can be seen (another user's often cannot). */
export async function portOwner(port: number): Promise<PortOwner | undefined> {
  return process.platform === 'linux' ? await ownerFromProc(port) : await ownerFromLsof(port);
}

/** Socket inodes listening on `port` in the text of /proc/net/tcp or tcp6. */
export function listeningInodes(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && fields[1]?.endsWith(`:${wanted}`))
    .flatMap((fields) => (fields[9] === undefined ? [] : [fields[9]]));
}

/** The first process in the output of `lsof -Fpc`. */
export function parseLsof(output: string): PortOwner | undefined {
  const lines = output.split('\n');
  const pid = lines.find((line) => line.startsWith('p'));
  const command = lines.find((line) => line.startsWith('c'));
  return pid === undefined ? undefined : { pid: Number(pid.slice(1)), command: command?.slice(1) ?? 'unknown' };
}

async function ownerFromProc(port: number): Promise<PortOwner | undefined> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const sockets = new Set(tables.flatMap((table) => listeningInodes(table, port)).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const descriptors = await readdir(`/proc/${entry}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${entry}/fd/${descriptor}`).catch(() => '');
      if (sockets.has(target)) return { pid: Number(entry), command: await commandLine(entry) };
    }
  }
  return undefined;
}

async function commandLine(pid: string): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text.split('\0').join(' ').trim().slice(0, 160) || 'unknown';
}

function ownerFromLsof(port: number): Promise<PortOwner | undefined> {
  return new Promise((resolve) => {
    execFile('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], (_error, stdout) => resolve(parseLsof(stdout)));
  });
}
