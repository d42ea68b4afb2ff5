import { join } from 'node:path';
import { root } from './paths.ts';
import { tail } from './processes.ts';
import type { Household, Part } from './processes.ts';
import { ask, until } from './wait.ts';

/** Starts one of our own emulators and resolves when its health page answers. */
export async function startService(
  household: Household,
  name: 'stripe' | 'fortnox',
  port: number,
  logFile: string,
): Promise<Part> {
  const part = household.start(
    `the ${name} emulator`,
    join(root, 'emulators', name, 'main.ts'),
    ['--port', String(port)],
    {
      cwd: root,
      logFile,
      environment: process.env,
    },
  );
  const health = until(
    async () => ((await ask(`http://127.0.0.1:${port}/_emulator/health`))?.status === 200 ? true : undefined),
    {
      limitMs: 30_000,
      signal: household.signal,
      late: () => new Error(`The ${name} emulator does not answer on port ${port}:\n${tail(logFile)}`),
    },
  );
  const early = part.ended.then((how) => {
    throw new Error(`The ${name} emulator ${how} while starting:\n${tail(logFile)}`);
  });
  await Promise.race([health, early]);
  return part;
}

/** Tells the Stripe emulator where events go, as the Stripe dashboard would. */
export async function registerWebhook(
  stripe: string,
  endpoint: { url: string; secret: string; connect: boolean; enabledEvents: readonly string[] },
): Promise<void> {
  const answer = await ask(`${stripe}/_emulator/webhook_endpoints`, 5000, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(endpoint),
  });
  if (answer === undefined || answer.status >= 300) {
    throw new Error(
      `The Stripe emulator did not accept the ${endpoint.connect ? 'Connect' : 'platform'} webhook endpoint: ` +
        (answer === undefined ? 'no answer' : `${answer.status} ${answer.body}`),
    );
  }
}
