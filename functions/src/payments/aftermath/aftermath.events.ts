import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { planFlag } from '../../admin/flags.service.ts';
import type { Context } from '../../platform/context.ts';
import { idOf } from '../../platform/stripe.ts';
import { handler, type DispatchTable, type Outcome } from '../../webhooks/webhooks.ts';
import { sendOrder } from '../transfers/transfers.service.ts';
import { paymentPath, readPayment } from '../payments.store.ts';
import type { AftermathFacts } from './aftermath.ts';
import { bookAftermathOf, fetchAftermath, planAftermath } from './aftermath.service.ts';
import type { ChargeAt } from './fetch.service.ts';

/** An event about a charge is only a hint: everything Stripe booked after the charge is looked at and what is new booked. */
const hint = (chargeOf: (event: Stripe.Event) => ChargeAt | undefined) =>
  handler({
    fetch: async (ctx, event): Promise<AftermathFacts | null> => {
      const where = chargeOf(event);
      return where ? ((await fetchAftermath(ctx, where)) ?? null) : null;
    },
    plan: async (ctx, tx, event, facts): Promise<Outcome> => {
      if (!facts) return { outcome: 'applied', writes: [] };
      const payment = await readPayment(ctx.db, facts.paymentId, tx);
      if (!payment) return { outcome: 'parked', waitingFor: paymentPath(facts.paymentId) };
      const at = Timestamp.fromMillis(event.created * 1000);
      const planned = await planAftermath(ctx, tx, payment, { facts, at, sourceEventId: event.id });
      if (planned.outcome === 'waits') return { outcome: 'parked', waitingFor: planned.for };
      if (planned.outcome === 'foreign')
        return { outcome: 'applied', writes: await planForeign(ctx, tx, event, facts) };
      const { chargeId } = facts;
      const then = planned.send.map((id) => async (c: Context) => void (await sendOrder(c, id)));
      // Lost, the sweep's look at the refund makes up for it.
      if (planned.more) then.push(async (c) => void (await bookAftermathOf(c, { chargeId })));
      return { outcome: 'applied', writes: planned.writes, then };
    },
  });

/** A tenant who writes our payment's id on a charge of their own does not reach it. */
const planForeign = (ctx: Context, tx: Parameters<typeof planFlag>[1], event: Stripe.Event, facts: AftermathFacts) =>
  planFlag(ctx, tx, {
    id: `charge-foreign_${facts.chargeId}`,
    kind: 'charge-foreign',
    severity: 'critical',
    subject: `payments/${facts.paymentId}`,
    message: `${event.type} speaks of charge ${facts.chargeId} on account ${facts.tenantAccountId ?? 'of the platform'}, where this payment is not.`,
    action: 'Look both up in the Stripe dashboard. Nothing was booked.',
  });

/** Of what happens to a connected account's charges only what a customer paid concerns us: a share's other end has no intent. */
function ofCustomer(
  event: Stripe.Event,
  charge: string | { id: string } | null | undefined,
  intent: string | { id: string } | null | undefined,
): ChargeAt | undefined {
  const chargeId = idOf(charge);
  if (!chargeId || (event.account && !idOf(intent))) return undefined;
  return { chargeId, tenantAccountId: event.account };
}

const ofRefund = hint((event) => {
  const { source_transfer_reversal: share, charge, payment_intent } = event.data.object as Stripe.Refund;
  return share ? undefined : ofCustomer(event, charge, payment_intent);
});
const ofCharge = hint((event) => {
  const charge = event.data.object as Stripe.Charge;
  return ofCustomer(event, charge, charge.payment_intent);
});
const ofDispute = hint((event) => {
  const { charge, payment_intent } = event.data.object as Stripe.Dispute;
  return ofCustomer(event, charge, payment_intent);
});
/** Transfers are the platform's alone. */
const ofTransfer = hint((event) => {
  const chargeId = idOf((event.data.object as Stripe.Transfer).source_transaction);
  return chargeId && !event.account ? { chargeId } : undefined;
});

/** The fee of a destination charge names the platform's charge; that of a direct one only the tenant's. */
const ofFee = hint((event) => {
  const fee = event.data.object as Stripe.ApplicationFee;
  const original = idOf(fee.originating_transaction);
  if (original) return { chargeId: original };
  return { chargeId: idOf(fee.charge), tenantAccountId: idOf(fee.account) };
});

export const aftermathEvents: DispatchTable = {
  'refund.created': ofRefund,
  'refund.updated': ofRefund,
  'refund.failed': ofRefund,
  'charge.refunded': ofCharge,
  'transfer.reversed': ofTransfer,
  'application_fee.refunded': ofFee,
  'charge.dispute.created': ofDispute,
  'charge.dispute.updated': ofDispute,
  'charge.dispute.closed': ofDispute,
  'charge.dispute.funds_withdrawn': ofDispute,
  'charge.dispute.funds_reinstated': ofDispute,
};
