/** Transfers made by themselves, and their reversals. */
import * as transfers from '../../resources/transfers.ts';
import { bool, clearable, expand, int, metadata, oneOf, paging, required, str } from '../params.ts';
import { one, route } from './route.ts';
import type { Route } from './route.ts';

export const TRANSFERS_ROUTES: readonly Route[] = [
  route(
    'POST',
    '/v1/transfers',
    'platform',
    {
      amount: int,
      currency: required(str()),
      destination: required(str()),
      description: str(),
      metadata,
      source_transaction: str(),
      source_type: oneOf('card'),
      transfer_group: str(),
      expand,
    },
    transfers.createTransfer,
  ),
  route(
    'POST',
    '/v1/transfers/{}',
    'platform',
    { description: clearable(str()), metadata, expand },
    transfers.updateTransfer,
  ),
  route(
    'POST',
    '/v1/transfers/{}/reversals',
    'platform',
    { amount: int, description: str(), metadata, refund_application_fee: bool, expand },
    transfers.createReversal,
  ),
  route('GET', '/v1/transfers/{}/reversals', 'platform', { ...paging }, transfers.listReversals),
  route('GET', '/v1/transfers/{}/reversals/{}', 'platform', one, transfers.retrieveReversal),
  route('POST', '/v1/transfers/{}/reversals/{}', 'platform', { metadata, expand }, transfers.updateReversal),
];
