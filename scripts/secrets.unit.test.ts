import { secrets } from '../functions/src/config.ts';
import { randomSecrets } from './stack/secrets.ts';
import { isProjectId, optionalSecrets, placeholder, requiredSecrets, secretCommands } from './secret-commands.ts';

const declared = Object.values(secrets).map(({ name }) => name);
const printed = secretCommands({ project: 'inner-journey', redirectUri: "https://example.com/it's\nrm" });

it('names every secret that the functions declare, and no other', () => {
  expect([...requiredSecrets.map(({ name }) => name), ...optionalSecrets].sort()).toEqual([...declared].sort());
  for (const name of declared) expect(printed).toContain(`functions:secrets:set ${name} --project inner-journey`);
});

it('makes those that are not needed yet with a placeholder', () => {
  for (const name of optionalSecrets) {
    expect(printed).toContain(`printf unset | npx firebase functions:secrets:set ${name} --project`);
  }
});

it('takes nothing that came from outside into a command but a project id', () => {
  const lines = printed.split('\n').filter((line) => line.includes("it's") || line.startsWith('rm'));
  expect(lines).toEqual(["#      https://example.com/it'srm"]);
  for (const bad of ['', 'x; rm', 'Upper-case', '$(id)', 'a'.repeat(31)]) expect(isProjectId(bad)).toBe(false);
});

it('the local stack makes up everything declared but what the Fortnox emulator gives', () => {
  const local = randomSecrets(() => 'abc');
  const fortnox = declared.filter((name) => name.startsWith('FORTNOX_'));
  expect([...Object.keys(local), ...fortnox].sort()).toEqual([...declared].sort());
  for (const [name, value] of Object.entries(local)) {
    if (name.endsWith('_PREVIOUS')) expect(value).toBe(placeholder);
  }
});
