import { readFileSync, writeFileSync } from 'node:fs';
import { documentPath, withTable } from './document.ts';

/** Writes the trial balances of docs/accounting.md anew. Run it in the repository's root. */
writeFileSync(documentPath, withTable(readFileSync(documentPath, 'utf8')));
process.stdout.write(`${documentPath} is up to date.\n`);
