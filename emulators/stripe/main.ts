/** `npm run emulator:stripe -- --port N [--webhook URL=SECRET] [--connect-webhook URL=SECRET] [--deliveries manual]` */
import { parseArgs } from 'node:util';
import { startStripeEmulator } from './index.ts';
import type { EndpointOptions } from './index.ts';

const USAGE =
  'npm run emulator:stripe -- [--port 12111] [--webhook URL=SECRET]... [--connect-webhook URL=SECRET]... [--deliveries automatic|manual]';

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

/** The secret stands after the last `=`: a URL may hold one itself. */
function endpoint(text: string, connect: boolean): EndpointOptions {
  const cut = text.lastIndexOf('=');
  const url = text.slice(0, Math.max(0, cut));
  const secret = text.slice(cut + 1);
  if (!URL.canParse(url) || secret === '') fail(`A webhook is given as URL=SECRET, not as '${text}'.\n${USAGE}`);
  return { url, secret, connect };
}

function options() {
  try {
    return parseArgs({
      options: {
        port: { type: 'string', default: '12111' },
        webhook: { type: 'string', multiple: true, default: [] },
        'connect-webhook': { type: 'string', multiple: true, default: [] },
        deliveries: { type: 'string', default: 'automatic' },
      },
    }).values;
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

const given = options();
const port = Number(given.port);
if (!Number.isInteger(port) || port < 0 || port > 65_535)
  fail(`--port takes a number from 0 to 65535, not '${given.port}'.`);
if (given.deliveries !== 'automatic' && given.deliveries !== 'manual')
  fail(`--deliveries takes automatic or manual.\n${USAGE}`);

try {
  const emulator = await startStripeEmulator({
    port,
    deliveries: given.deliveries,
    endpoints: [
      ...given.webhook.map((text) => endpoint(text, false)),
      ...given['connect-webhook'].map((text) => endpoint(text, true)),
    ],
  });
  console.log(`The Stripe emulator listens on ${emulator.url}`);
  console.log(
    `  new Stripe('sk_test_emulator', { host: '127.0.0.1', port: ${emulator.port}, protocol: 'http' })\n` +
      `  what it can do: ${emulator.url}/_emulator    everything it knows: ${emulator.url}/_emulator/state`,
  );
  let closing = false;
  const stop = () => {
    if (closing) return;
    closing = true;
    void emulator.close().then(() => process.exit(0));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
} catch (error) {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE')
    fail(`Port ${port} is taken. Stop what listens there, or pass another: --port ${port + 1}.`);
  throw error;
}
