import { businessDate } from '../../platform/clock.ts';
import { formatMoney } from '../../platform/money.ts';
import type { Session } from '../../sessions/sessions.ts';
import type { ProgrammeGrant } from '../entitlements/programmes.ts';
import type { Payment } from '../payments.ts';

/** What an answer to a dispute can say in words, under Stripe's names. Files (a receipt, documentation) go by the dashboard. */
export const evidenceTexts = [
  'access_activity_log',
  'billing_address',
  'cancellation_policy_disclosure',
  'cancellation_rebuttal',
  'customer_email_address',
  'customer_name',
  'customer_purchase_ip',
  'duplicate_charge_explanation',
  'duplicate_charge_id',
  'product_description',
  'refund_policy_disclosure',
  'refund_refusal_explanation',
  'service_date',
  'uncategorized_text',
] as const;
export type EvidenceText = (typeof evidenceTexts)[number];
export type Evidence = Partial<Record<EvidenceText, string>>;

/** What we know of a disputed sale. */
export interface Records {
  payment: Pick<
    Payment,
    'description' | 'customerName' | 'amountMinor' | 'currency' | 'createdAt' | 'paidAt' | 'receiptUrl'
  >;
  /** Of a programme: what it opened. */
  programme?: Pick<ProgrammeGrant, 'from' | 'weeks'> | undefined;
  /** In the order they take place. */
  sessions: readonly Pick<Session, 'startsAt' | 'status' | 'description'>[];
}

const sessionWords: Record<Session['status'], string> = {
  booked: 'booked by the customer',
  completed: 'took place',
  canceled: 'canceled',
  no_show: 'the customer did not come',
};

/** The answer as our records have it, under what a person has written, which goes first. */
export function withRecords(given: Evidence, { payment, programme, sessions }: Records): Evidence {
  const paidAt = (payment.paidAt ?? payment.createdAt).toDate();
  const served = sessions.find(({ status }) => status === 'completed')?.startsAt.toDate() ?? paidAt;
  const receipt = payment.receiptUrl ? ` Receipt: ${payment.receiptUrl}` : '';
  const log = [
    `${businessDate(paidAt)}: paid ${formatMoney(payment.amountMinor, payment.currency)} for ${payment.description}.${receipt}`,
    ...(programme
      ? [
          `${businessDate(programme.from.toDate())}: access opened${programme.weeks ? `, for ${programme.weeks} weeks` : ''}.`,
        ]
      : []),
    ...sessions.map(
      ({ startsAt, status, description }) =>
        `${startsAt.toDate().toISOString()}: ${description}, ${sessionWords[status]}.`,
    ),
  ];
  return {
    product_description: payment.description,
    ...(payment.customerName ? { customer_name: payment.customerName } : {}),
    service_date: businessDate(served),
    access_activity_log: log.join('\n'),
    ...given,
  };
}
