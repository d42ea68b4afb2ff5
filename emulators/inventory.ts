/** What the two emulators have, read from their own tables: what README.md must name. Run from the repository's root. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FORTNOX_ROUTES } from './fortnox/api.ts';
import { freshState, FORTNOX_EMULATOR_DEFAULTS } from './fortnox/state.ts';
import { FAULT_KINDS } from './fortnox/types.ts';
import { DELIVERY_FAULTS, REQUEST_FAULTS } from './stripe/core/faults.ts';
import { ROUTES } from './stripe/core/routes.ts';
import { defaultSwitches } from './stripe/core/switches.ts';

const EVENT_TYPES = 'node_modules/stripe/esm/resources/Events.d.ts';
/** Where events are emitted; each type is written out there, since the compiler checks it against the SDK's union. */
const EMITTERS = ['emulators/stripe/resources'];

/** The SDK's types of events: those the emulator's sources name, and the rest. */
function eventTypes(): { emitted: string[]; others: string[] } {
  const declared = readFileSync(EVENT_TYPES, 'utf8').matchAll(/^\s*type: '([a-z0-9_.]+)';/gm);
  const types = [...new Set([...declared].map(([, type]) => type!))].sort();
  const sources = EMITTERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  ).join('\n');
  const written = (type: string) => sources.includes(`'${type}'`);
  return { emitted: types.filter(written), others: types.filter((type) => !written(type)) };
}

const { emitted, others } = eventTypes();

export const STRIPE = {
  routes: ROUTES.map((one) => ({ name: `${one.method} ${one.path}`, parameters: Object.keys(one.params).length })),
  events: emitted,
  eventsNotEmitted: others,
  faults: [
    ...REQUEST_FAULTS.map((name) => ({ name, strikes: 'a request' })),
    ...DELIVERY_FAULTS.map((name) => ({ name, strikes: 'a delivery' })),
  ],
  switches: Object.keys(defaultSwitches),
} as const;

export const FORTNOX = {
  routes: FORTNOX_ROUTES,
  faults: FAULT_KINDS,
  switches: Object.keys(freshState(0, FORTNOX_EMULATOR_DEFAULTS).switches),
} as const;
