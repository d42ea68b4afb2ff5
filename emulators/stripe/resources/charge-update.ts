/** Changing what a charge is called. */
import type Stripe from 'stripe';
import { badParam } from '../core/errors.ts';
import { emitChange } from '../core/events.ts';
import { mergeMetadata, textOrNull } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import { retrieveCharge } from './charges.ts';

export function updateCharge(
  world: World,
  book: Book,
  params: Stripe.ChargeUpdateParams,
  ids: string[],
): Stripe.Charge {
  const before = retrieveCharge(world, book, {}, ids);
  if (params.transfer_group !== undefined && before.transfer_group !== null) {
    throw badParam('transfer_group', 'The transfer_group of a charge can be set only while it has none.');
  }
  const report = textOrNull(params.fraud_details?.user_report);
  const after = book.charges.put({
    ...before,
    description: params.description ?? before.description,
    ...(report === null ? {} : { fraud_details: { ...before.fraud_details, user_report: report } }),
    metadata: mergeMetadata(before.metadata, params.metadata),
    receipt_email: params.receipt_email ?? before.receipt_email,
    transfer_group: params.transfer_group ?? before.transfer_group,
  });
  emitChange(world, book, 'charge.updated', before, after);
  return after;
}
