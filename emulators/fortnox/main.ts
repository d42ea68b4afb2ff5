import { parseArgs } from 'node:util';
import { FORTNOX_EMULATOR_DEFAULTS, startFortnoxEmulator } from './index.ts';

const DEFAULT_PORT = 12112;
const USAGE = 'npm run emulator:fortnox -- --port 12112';

function stop(message: string): never {
  console.error(message);
  process.exit(1);
}

function wantedPort(): number {
  try {
    const { values } = parseArgs({ options: { port: { type: 'string' } } });
    if (values.port === undefined) return DEFAULT_PORT;
    const port = Number(values.port);
    if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
    return stop(`--port must be a number from 0 to 65535, not "${values.port}". Usage: ${USAGE}`);
  } catch (error) {
    return stop(`${error instanceof Error ? error.message : String(error)}\nUsage: ${USAGE}`);
  }
}

async function main(): Promise<void> {
  const port = wantedPort();
  const emulator = await startFortnoxEmulator({ port }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') {
      return stop(
        `Port ${port} is taken by another process. End it, or choose another: ${USAGE.replace('12112', String(port + 1))}`,
      );
    }
    return stop(`The Fortnox emulator could not start on port ${port}: ${error.message}`);
  });
  const { clientId, clientSecret, tenantId } = FORTNOX_EMULATOR_DEFAULTS;
  console.log(`Fortnox emulator on ${emulator.url}`);
  console.log(
    `  token    POST ${emulator.url}/oauth-v1/token (client ${clientId}, secret ${clientSecret}, TenantId ${tenantId})`,
  );
  console.log(`  control  ${emulator.url}/_emulator`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void emulator.close().then(() => process.exit(0));
    });
  }
}

await main();
