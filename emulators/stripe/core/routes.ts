/**
 * Every route the emulator has, with every parameter it takes: the one table requests are checked against. Its parts are
 * in table/; the compiler checks the parameters' names against the SDK's own types. What is not there is refused.
 */
import { BILLING_ROUTES } from './table/billing.ts';
import { CONNECT_ROUTES } from './table/connect.ts';
import { CUSTOMER_PAYMENTS_ROUTES } from './table/customer-payments.ts';
import { CUSTOMERS_ROUTES } from './table/customers.ts';
import { EVENTS_ROUTES } from './table/events.ts';
import { PAYMENTS_ROUTES } from './table/payments.ts';
import type { Route } from './table/route.ts';
import { TRANSFERS_ROUTES } from './table/transfers.ts';
import { V2_ROUTES } from './table/v2.ts';

export type { Route } from './table/route.ts';

export const ROUTES: readonly Route[] = [
  ...CUSTOMERS_ROUTES,
  // Its searches come before the retrievals whose paths would match them too.
  ...CUSTOMER_PAYMENTS_ROUTES,
  ...PAYMENTS_ROUTES,
  ...CONNECT_ROUTES,
  ...TRANSFERS_ROUTES,
  ...BILLING_ROUTES,
  ...EVENTS_ROUTES,
  ...V2_ROUTES,
];

/** By method and number of segments, so that a request is compared with few. */
const TABLE = new Map<string, { route: Route; segments: string[] }[]>();
for (const each of ROUTES) {
  const segments = each.path.split('/');
  const slot = `${each.method} ${segments.length}`;
  TABLE.set(slot, [...(TABLE.get(slot) ?? []), { route: each, segments }]);
}

/** The route of a request and the ids in its path. */
export function findRoute(method: string, path: string): { route: Route; ids: string[] } | undefined {
  const given = path.split('/');
  for (const { route: each, segments } of TABLE.get(`${method} ${given.length}`) ?? []) {
    if (!segments.every((segment, i) => (segment === '{}' ? given[i] !== '' : segment === given[i]))) continue;
    return {
      route: each,
      ids: segments.flatMap((segment, i) => (segment === '{}' ? [decodeURIComponent(given[i]!)] : [])),
    };
  }
  return undefined;
}
