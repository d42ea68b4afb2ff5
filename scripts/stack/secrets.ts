import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { dotenv, parseDotenv } from './settings.ts';

/** The Stripe secrets as the functions' `defineSecret` names them, made up for this machine. */
export function randomSecrets(
  random: (bytes: number) => string = (bytes) => randomBytes(bytes).toString('hex'),
): Record<string, string> {
  return {
    STRIPE_SECRET_KEY: `sk_test_${random(16)}`,
    STRIPE_WEBHOOK_SECRET: `whsec_${random(16)}`,
    STRIPE_CONNECT_WEBHOOK_SECRET: `whsec_${random(16)}`,
    STRIPE_THIN_WEBHOOK_SECRET: `whsec_${random(16)}`,
    // Nothing is being rolled; the functions take no secret that is not Stripe's ("whsec_…").
    STRIPE_WEBHOOK_SECRET_PREVIOUS: 'unset',
    STRIPE_CONNECT_WEBHOOK_SECRET_PREVIOUS: 'unset',
    STRIPE_THIN_WEBHOOK_SECRET_PREVIOUS: 'unset',
  };
}

/** Keeps what `file` (Firebase's `.secret.local`) holds and adds what is missing. */
export async function localSecrets(file: string): Promise<Record<string, string>> {
  const present = parseDotenv(await readFile(file, 'utf8').catch(() => ''));
  const secrets = { ...randomSecrets(), ...present };
  if (Object.keys(secrets).length > Object.keys(present).length)
    await writeFile(file, dotenv(secrets), { mode: 0o600 });
  return secrets;
}

/**
 * The switch to Stripe's own test mode: a STRIPE_SECRET_KEY in the environment. Returns the secrets to use then, or
 * undefined for the emulator. A live key is refused: nothing that runs on a laptop may move real money.
 */
export function stripeTestMode(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> | undefined {
  const key = environment.STRIPE_SECRET_KEY;
  if (key === undefined || key === '') return undefined;
  if (!/^[sr]k_test_/.test(key)) {
    throw new Error(
      'STRIPE_SECRET_KEY in the environment is not a test key (sk_test_… or rk_test_…), and the local stack never runs with a live one.\n' +
        'Use a test key, or unset STRIPE_SECRET_KEY to run against the Stripe emulator.',
    );
  }
  const names = ['STRIPE_WEBHOOK_SECRET', 'STRIPE_CONNECT_WEBHOOK_SECRET', 'STRIPE_THIN_WEBHOOK_SECRET'] as const;
  const given = names.flatMap((name) => (environment[name] ? [[name, environment[name]] as const] : []));
  return { STRIPE_SECRET_KEY: key, ...Object.fromEntries(given) };
}
