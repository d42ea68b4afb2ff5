import { readFileSync, writeFileSync } from 'node:fs';
import { documentPath, withTables } from './document.ts';

/** Writes the tables of docs/security.md anew. Run it in the repository's root. */
writeFileSync(documentPath, withTables(readFileSync(documentPath, 'utf8')));
process.stdout.write(`${documentPath} is up to date.\n`);
