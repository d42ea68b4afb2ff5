import { readFileSync } from 'node:fs';
import { documentPath, howToRegenerate, withTables } from './document.ts';

it('docs/security.md shows the matrices as they are', () => {
  const document = readFileSync(documentPath, 'utf8');
  if (withTables(document) !== document) {
    throw new Error(`The tables of ${documentPath} are out of date. Run: ${howToRegenerate}`);
  }
});

it('says which marker is lost', () => {
  expect(() => withTables('# Security')).toThrow('<!-- generated: entrances -->');
});
