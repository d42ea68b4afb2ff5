/**
 * Outlives the stack's owner: when its standard input ends, because the owner is done or because it was killed, it ends
 * every process of the stack and removes the stack's temporary folder. Arguments: the mark, the folder.
 */
import { rm } from 'node:fs/promises';
import { sweep } from './sweep.ts';

const [mark, folder] = process.argv.slice(2);
if (mark === undefined || folder === undefined) throw new Error('usage: watchdog.ts MARK FOLDER');

// The owner says when it is done; no signal to its group may keep this from happening.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

process.stdin.resume();
process.stdin.once('close', () => {
  void sweep(mark)
    .then(() => rm(folder, { recursive: true, force: true }))
    .catch((error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    });
});
