import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';

/**
 * The variable every process of a stack carries. Emulators start their own children in process groups and sessions of
 * their own, so neither a process group nor the tree of parents finds all of them; what they inherit does.
 */
export const markVariable = 'IJ_STACK';

/** Ends every process that carries the mark, at once, and looks again until none is left. Throws when some stay. */
export async function sweep(mark: string): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    const pids = await markedProcesses(mark);
    if (pids.length === 0) return;
    pids.forEach(kill);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const left = await markedProcesses(mark);
  if (left.length > 0) throw new Error(`These processes of the local stack do not end: ${left.join(', ')}.`);
}

async function markedProcesses(mark: string): Promise<number[]> {
  const assignment = `${markVariable}=${mark}`;
  const pids = process.platform === 'linux' ? await markedInProc(assignment) : await markedInPs(assignment);
  return pids.filter((pid) => pid !== process.pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended in the meantime.
  }
}

async function markedInProc(assignment: string): Promise<number[]> {
  const entries = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const marked = await Promise.all(
    entries.map(async (entry) => {
      const environment = await readFile(`/proc/${entry}/environ`, 'utf8').catch(() => '');
      return environment.split('\0').includes(assignment);
    }),
  );
  return entries.filter((_, index) => marked[index]).map(Number);
}

function markedInPs(assignment: string): Promise<number[]> {
  return new Promise((resolve) => {
    execFile('ps', ['-axEww', '-o', 'pid=,command='], { maxBuffer: 1 << 26 }, (_error, stdout) => {
      const lines = stdout.split('\n').filter((line) => line.split(/\s+/).includes(assignment));
      resolve(lines.map((line) => Number.parseInt(line, 10)));
    });
  });
}
