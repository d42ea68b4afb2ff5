import { readFileSync, writeFileSync } from 'node:fs';
import { documentPath, withParts } from './document.ts';

/** Writes the generated parts of docs/api.md anew. Run it in the repository's root. */
writeFileSync(documentPath, await withParts(readFileSync(documentPath, 'utf8')));
process.stdout.write(`${documentPath} is up to date.\n`);
