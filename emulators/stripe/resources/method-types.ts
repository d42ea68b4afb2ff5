/** Which kinds of payment method an intent takes: dynamic by default, narrowed by what is allowed or excluded. */
import { badParam } from '../core/errors.ts';
import type { World } from '../core/world.ts';

interface Wanted {
  allowed_payment_method_types?: string[] | undefined;
  excluded_payment_method_types?: string[] | '' | null | undefined;
  automatic_payment_methods?: object | undefined;
}

export interface MethodTypes {
  all: string[];
  allowed: string[] | null;
  excluded: string[] | null;
}

/** What this emulator can be paid with. */
const known = (world: World): string[] => (world.switches.debitsInSek ? ['card', 'sepa_debit'] : ['card']);

export function methodTypes(world: World, wanted: Wanted): MethodTypes {
  const { allowed_payment_method_types: allowed, excluded_payment_method_types: excluded } = wanted;
  const here = known(world);
  if (allowed !== undefined) {
    if (excluded !== undefined || wanted.automatic_payment_methods !== undefined) {
      throw badParam(
        'allowed_payment_method_types',
        '`allowed_payment_method_types` cannot be combined with `excluded_payment_method_types` or `automatic_payment_methods`.',
        'parameters_exclusive',
      );
    }
    const strange = allowed.find((type) => !here.includes(type));
    if (strange !== undefined || allowed.length === 0) {
      throw badParam(
        'allowed_payment_method_types',
        `The Stripe emulator has no payment method type '${strange ?? ''}'; it has ${here.join(', ')}.`,
        'emulator_unsupported',
      );
    }
    return { all: allowed, allowed, excluded: null };
  }
  const without = excluded === undefined || excluded === '' || excluded === null ? [] : excluded;
  const all = here.filter((type) => !without.includes(type));
  if (all.length === 0) {
    throw badParam('excluded_payment_method_types', 'No valid payment method types are left for this intent.');
  }
  return { all, allowed: null, excluded: without.length === 0 ? null : without };
}
