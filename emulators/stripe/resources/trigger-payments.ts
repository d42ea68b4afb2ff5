/** The triggers of the customer's side. What is given beside `type` goes into the main request, mostly the payment. */
import type { Trigger, TriggerTools } from './trigger-tools.ts';

const pay = (tools: TriggerTools, card: string, more: object = {}, declines = false) =>
  tools.post(
    '/v1/payment_intents',
    {
      amount: 49_900,
      currency: 'sek',
      payment_method: `pm_card_${card}`,
      confirm: true,
      description: '(created by the emulator)',
      ...more,
      ...tools.overrides,
    },
    { declines },
  );

/** Pays, and lets what comes of the payment come. */
function payAndWait(tools: TriggerTools, card: string): string {
  const intent = pay(tools, card);
  tools.advance(tools.core.world.switches.disputeAfterSeconds);
  return intent.id;
}

const firstOf = (tools: TriggerTools, path: string): string => {
  const { data } = tools.get(path) as unknown as { data: { id: string }[] };
  return data[0]!.id;
};
const dispute = (tools: TriggerTools, card = 'createDispute'): string =>
  firstOf(tools, `/v1/disputes?payment_intent=${payAndWait(tools, card)}`);

function answer(tools: TriggerTools, text: string): void {
  tools.post(`/v1/disputes/${dispute(tools)}`, { evidence: { uncategorized_text: text } });
  tools.advance(tools.core.world.switches.disputeDecidedAfterSeconds);
}

/** A part, so that the money of the payment itself suffices. */
const refund = (tools: TriggerTools, card: string) =>
  tools.post('/v1/refunds', { payment_intent: pay(tools, card).id, amount: 20_000 });

const hold = (tools: TriggerTools) => pay(tools, 'visa', { capture_method: 'manual' });
const customer = (tools: TriggerTools, overrides: object = {}) =>
  tools.post('/v1/customers', { description: '(created by the emulator)', ...overrides });
const attach = (tools: TriggerTools) =>
  tools.post('/v1/payment_methods/pm_card_visa/attach', { customer: customer(tools).id });

const setUp = (tools: TriggerTools, more: object, declines = false) =>
  tools.post('/v1/setup_intents', { ...more, ...tools.overrides }, { declines });

function debit(tools: TriggerTools): void {
  const method = tools.post('/v1/payment_methods', {
    type: 'sepa_debit',
    sepa_debit: { iban: 'DE89370400440532013000' },
    billing_details: { name: 'Jenny Rosen', email: 'jenny@example.com' },
  });
  pay(tools, 'visa', { payment_method: method.id });
}

const succeeded: Trigger = (tools) => void pay(tools, 'visa');
const declined: Trigger = (tools) => void pay(tools, 'visa_chargeDeclined', {}, true);
const refunded: Trigger = (tools) => void refund(tools, 'visa');
const disputed: Trigger = (tools) => void dispute(tools);
const refundChanged: Trigger = (tools) =>
  void tools.post(`/v1/refunds/${refund(tools, 'visa').id}`, { metadata: { order: '6735' } });

export const paymentTriggers: Readonly<Record<string, Trigger>> = {
  'payment_intent.created': (tools) => void pay(tools, 'visa', { confirm: false }),
  'payment_intent.succeeded': succeeded,
  'payment_intent.payment_failed': declined,
  'payment_intent.canceled': (tools) =>
    void tools.post(`/v1/payment_intents/${pay(tools, 'visa', { confirm: false }).id}/cancel`),
  'payment_intent.requires_action': (tools) => void pay(tools, 'authenticationRequired'),
  'payment_intent.amount_capturable_updated': (tools) => void hold(tools),
  'payment_intent.processing': debit,
  'charge.pending': debit,
  'charge.succeeded': succeeded,
  'charge.failed': declined,
  'charge.captured': (tools) => void tools.post(`/v1/payment_intents/${hold(tools).id}/capture`),
  'charge.expired': (tools) => {
    hold(tools);
    tools.advance(7 * 86_400);
  },
  'charge.updated': disputed,
  'charge.refunded': refunded,
  'charge.refund.updated': refundChanged,
  'refund.created': refunded,
  'refund.updated': refundChanged,
  'refund.failed': (tools) => {
    refund(tools, 'refundFail');
    tools.advance(tools.core.world.switches.refundFailsAfterSeconds);
  },
  'charge.dispute.created': disputed,
  'charge.dispute.funds_withdrawn': disputed,
  'charge.dispute.updated': (tools) =>
    void tools.post(`/v1/disputes/${dispute(tools)}`, { evidence: { receipt: 'On paper.' }, submit: false }),
  'charge.dispute.funds_reinstated': (tools) => answer(tools, 'winning_evidence'),
  'charge.dispute.closed': (tools) => answer(tools, 'losing_evidence'),
  'radar.early_fraud_warning.created': (tools) => void payAndWait(tools, 'createIssuerFraudRecord'),
  'radar.early_fraud_warning.updated': (tools) =>
    void tools.post('/v1/refunds', { payment_intent: payAndWait(tools, 'createIssuerFraudRecord') }),
  'review.opened': (tools) => void payAndWait(tools, 'riskLevelElevated'),
  'review.closed': (tools) => {
    payAndWait(tools, 'riskLevelElevated');
    tools.post(`/v1/reviews/${firstOf(tools, '/v1/reviews')}/approve`);
  },
  'setup_intent.created': (tools) => void setUp(tools, {}),
  'setup_intent.succeeded': (tools) => void setUp(tools, { payment_method: 'pm_card_visa', confirm: true }),
  'setup_intent.requires_action': (tools) =>
    void setUp(tools, { payment_method: 'pm_card_authenticationRequired', confirm: true }),
  'setup_intent.setup_failed': (tools) =>
    void setUp(tools, { payment_method: 'pm_card_visa_chargeDeclined', confirm: true }, true),
  'setup_intent.canceled': (tools) => void tools.post(`/v1/setup_intents/${setUp(tools, {}).id}/cancel`),
  'customer.created': (tools) => void customer(tools, tools.overrides),
  'customer.updated': (tools) =>
    void tools.post(`/v1/customers/${customer(tools).id}`, { metadata: { foo: 'bar' }, ...tools.overrides }),
  'payment_method.attached': (tools) => void attach(tools),
  'payment_method.detached': (tools) => void tools.post(`/v1/payment_methods/${attach(tools).id}/detach`),
  'payment_method.updated': (tools) =>
    void tools.post(`/v1/payment_methods/${attach(tools).id}`, { billing_details: { name: 'Jenny' } }),
};
