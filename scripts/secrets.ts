import { parseArgs } from 'node:util';
import { isProjectId, secretCommands } from './secret-commands.ts';

/** `npm run secrets -- --project ID`: prints the commands that make a project's secrets. It changes nothing itself. */

const usage =
  'Usage: npm run secrets -- --project PROJECT-ID [--redirect-uri https://…]\nIt prints commands; run those you need.';

function fail(problem: string): never {
  console.error(`${problem}\n${usage}`);
  process.exit(2);
}

function optionsOf(): { project: string; redirectUri: string } {
  try {
    const options = { project: { type: 'string' }, 'redirect-uri': { type: 'string' } } as const;
    const { project = '', 'redirect-uri': redirectUri } = parseArgs({ options }).values;
    if (!isProjectId(project)) fail(`--project must be a Google Cloud project id, not "${project}".`);
    const address = redirectUri ?? `https://europe-west1-${project}.cloudfunctions.net/fortnoxCallback`;
    if (!URL.canParse(address)) fail(`--redirect-uri must be an address, not "${address}".`);
    return { project, redirectUri: address };
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

process.stdout.write(secretCommands(optionsOf()));
