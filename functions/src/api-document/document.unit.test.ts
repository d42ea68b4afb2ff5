import { readFileSync } from 'node:fs';
import { documentPath, howToRegenerate, withoutPlay, withParts } from './document.ts';

it('every callable has a play, so that what it costs is measured', () => {
  // Missing? Write in functions/src/api-document/plays how it is called.
  expect(withoutPlay()).toEqual([]);
});

it('docs/api.md is as the code is, and costs what it says', async () => {
  const document = readFileSync(documentPath, 'utf8');
  const now = (await withParts(document)).split('\n');
  const differs = document.split('\n').findIndex((line, index) => line !== now[index]);
  if (differs >= 0 || now.length !== document.split('\n').length) {
    const shown = `Line ${differs + 1} is now: ${now[differs]?.slice(0, 300) ?? 'gone'}`;
    throw new Error(`${documentPath} is out of date. Run: ${howToRegenerate}\n${shown}`);
  }
}, 120_000);

it('says which marker is lost', async () => {
  await expect(withParts('# API')).rejects.toThrow('<!-- generated: callables -->');
});
