import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { local } from './stack/paths.ts';
import { startStack } from './stack/stack.ts';
import type { Stack, StoryOptions } from './stack/types.ts';
import { addressTable, loginTable, readLogins } from './stack/welcome.ts';

const usage = `npm start [-- OPTIONS]     starts the local stack, plays the story on it, and stays up until Ctrl-C

  --once             ends after the story; exit code 0 only when every invariant held
  --twice            plays the story again on the same stack: nothing may change by it
  --ports free       takes any free ports, so that it runs beside another stack
  --no-story         starts the stack alone
  --story-file FILE  where the story writes its result (.local/story.json)
  --help             this text

Single ports move with IJ_PORT_FUNCTIONS, IJ_PORT_HOSTING, IJ_PORT_FIRESTORE, IJ_PORT_FIRESTORE_WEBSOCKET, IJ_PORT_AUTH,
IJ_PORT_TASKS, IJ_PORT_PUBSUB, IJ_PORT_EVENTARC, IJ_PORT_HUB, IJ_PORT_STRIPE and IJ_PORT_FORTNOX.
With STRIPE_SECRET_KEY=sk_test_… in the environment the stack talks to Stripe's test mode instead of the emulator.`;

interface Options {
  readonly once: boolean;
  readonly twice: boolean;
  readonly free: boolean;
  readonly story: boolean;
  readonly storyFile: string;
}

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        once: { type: 'boolean', default: false },
        twice: { type: 'boolean', default: false },
        ports: { type: 'string' },
        story: { type: 'boolean', default: true },
        'story-file': { type: 'string', default: join(local, 'story.json') },
        help: { type: 'boolean', default: false },
      },
      allowNegative: true,
    });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    if (values.ports !== undefined && values.ports !== 'free')
      throw new Error(`--ports can only be 'free', not '${values.ports}'.`);
    if (values.once && !values.story)
      throw new Error('--once plays the story and ends; it makes no sense with --no-story.');
    return {
      once: values.once,
      twice: values.twice,
      free: values.ports === 'free',
      story: values.story,
      storyFile: resolve(values['story-file']),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}

/** Resolves when someone wants this to end: Ctrl-C, a signal, or the death of whoever started it. */
function askedToEnd(): Promise<string> {
  return new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => done(signal));
    process.once('disconnect', () => done('the end of its parent'));
    process.channel?.unref();
  });
}

async function main(options: Options): Promise<number> {
  const log = (line: string): void => console.log(line);
  const interrupt = new AbortController();
  const end = askedToEnd();
  void end.then(() => interrupt.abort());
  log('Starting the local stack: Firebase emulators, Stripe emulator, Fortnox emulator');
  const began = performance.now();
  const stack = await startStack({ log, ports: options.free ? 'free' : {}, signal: interrupt.signal });
  log(`The stack is up after ${((performance.now() - began) / 1000).toFixed(1)} s.\n`);
  try {
    return await Promise.race([
      use(stack, options, log, end),
      stack.crashed.then((error) => {
        throw new Error(`The stack is stopped, because a part of it ended.\n${error.message}`);
      }),
      end.then((reason) => {
        log(`\nEnding because of ${reason}.`);
        return options.once ? 130 : 0;
      }),
    ]);
  } finally {
    await stack.stop();
  }
}

async function use(stack: Stack, options: Options, log: (line: string) => void, end: Promise<string>): Promise<number> {
  const ok = options.story ? await playStory(stack, options, log) : true;
  if (options.once) return ok ? 0 : 1;
  log(`\n${addressTable(stack)}`);
  log(`\n${loginTable(await readLogins(stack))}`);
  log('\nThe stack stays up. Ctrl-C ends it.');
  await end;
  return 0;
}

async function playStory(stack: Stack, options: Options, log: (line: string) => void): Promise<boolean> {
  if (stack.stripeMode === 'test-mode') {
    log(
      'The story is not played: it moves the clock and makes balances available, which only the Stripe emulator can.',
    );
    log('Unset STRIPE_SECRET_KEY to play it.');
    return false;
  }
  mkdirSync(dirname(options.storyFile), { recursive: true });
  const { runStory } = await import('./story/story.ts');
  const storyOptions: StoryOptions = { log, file: options.storyFile };
  const { ok } = await runStory(stack, storyOptions);
  if (!ok || !options.twice) return ok;
  log('\nThe same story again, with the same requests: nothing may happen twice.\n');
  return (await runStory(stack, storyOptions)).ok;
}

const code = await main(readOptions()).catch((error: unknown) => {
  console.error(
    `\n${error instanceof Error ? (error.cause === undefined ? error.message : (error.stack ?? error.message)) : String(error)}`,
  );
  return 1;
});
process.exit(code);
