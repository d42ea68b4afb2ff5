import type { Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { planFlag } from '../../admin/flags.service.ts';
import type { Context } from '../../platform/context.ts';
import { idOf } from '../../platform/stripe.ts';
import { handler, type DispatchTable, type Outcome } from '../../webhooks/webhooks.ts';
import { paymentOfCharge } from '../payments.store.ts';
import { fetchTransfer } from './ask.service.ts';
import * as flags from './transfer-flags.ts';
import { planRecord, readTransfer } from './transfers.service.ts';
import type { TransferFacts } from './transfers.ts';

/**
 * A transfer Stripe has made. One of our orders is booked if the call's answer was lost; a destination charge's own is
 * booked with its sale; any other is for a person.
 */
const transferMade = handler<TransferFacts | null>({
  fetch: async (ctx, event) => {
    const transfer = event.data.object as Stripe.Transfer;
    const { transferId } = transfer.metadata;
    if (!transferId) return null;
    const order = await readTransfer(ctx, transferId);
    return order && order.status !== 'done' ? fetchTransfer(ctx, transfer.id) : null;
  },
  plan: async (ctx, tx, event, fetched): Promise<Outcome> => {
    const transfer = event.data.object as Stripe.Transfer;
    const { transferId } = transfer.metadata;
    if (transferId && fetched) {
      return { outcome: 'applied', writes: await planRecord(ctx, tx, transferId, fetched, event.id) };
    }
    const expected = await isExpected(ctx, tx, transfer);
    return {
      outcome: 'applied',
      writes: expected ? [] : await planFlag(ctx, tx, flags.transferNotOurs(transfer.id)),
    };
  },
});

async function isExpected(ctx: Context, tx: Transaction, transfer: Stripe.Transfer): Promise<boolean> {
  const { transferId } = transfer.metadata;
  if (transferId) {
    const order = await readTransfer(ctx, transferId, tx);
    return order?.kind === 'transfer' && order.stripeTransferId === transfer.id;
  }
  const chargeId = idOf(transfer.source_transaction);
  if (!chargeId) return false;
  // A charge that shares by itself says so in its payment; one that is not booked yet is compared when it is.
  const payment = await paymentOfCharge(ctx.db, tx, chargeId);
  return payment === undefined || payment.chargeModel === 'destination';
}

export const transferEvents: DispatchTable = {
  'transfer.created': transferMade,
  'transfer.updated': transferMade,
};
