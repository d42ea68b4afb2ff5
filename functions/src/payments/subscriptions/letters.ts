import { DateTime } from 'luxon';
import { businessZone } from '../../platform/clock.ts';
import type { Letter } from '../../platform/mail.ts';
import { formatMoney, fromStripeCurrency, minor } from '../../platform/money.ts';
import type { InvoiceFacts } from './renewals.ts';
import type { Subscription, SubscriptionFacts } from './subscriptions.ts';

/** What customers are told of a subscription. `name` is the product's. */

const day = (seconds: number): string => DateTime.fromSeconds(seconds, { zone: businessZone }).toFormat('d LLLL yyyy');
const money = (amountMinor: number, currency: string): string =>
  formatMoney(minor(amountMinor), fromStripeCurrency(currency));

function letter(userId: string, subject: string, paragraphs: readonly string[]): Letter {
  return { toUids: [userId], message: { subject, text: paragraphs.join('\n\n') } };
}

const where = 'You find your subscriptions and your card on your page, under "My payments".';

export function renewalReminder(
  { userId }: Subscription,
  name: string,
  upcoming: { amountDueMinor: number; currency: string; at: number },
): Letter {
  const amount = money(upcoming.amountDueMinor, upcoming.currency);
  return letter(userId, `${name} is renewed on ${day(upcoming.at)}`, [
    `Your subscription to ${name} is renewed on ${day(upcoming.at)}. ${amount} is then charged to your saved card.`,
    'If you do not want that, cancel it before then.',
    where,
  ]);
}

/** Each attempt that failed. A bank that wants the customer's consent is the same to them: the page asks for it. */
export function paymentFailedLetter({ userId }: Subscription, name: string, invoice: InvoiceFacts): Letter {
  const amount = money(invoice.amountDueMinor, invoice.currency);
  return letter(userId, `Your payment of ${amount} for ${name} did not go through`, [
    `We could not charge ${amount} for ${name}: your card was declined, or your bank wants you to approve the payment.`,
    ...(invoice.hostedUrl ? [`Pay or approve it here, also with another card: ${invoice.hostedUrl}`] : []),
    invoice.nextAttempt === null
      ? 'This was the last attempt.'
      : `We try again on ${day(invoice.nextAttempt)}. Until then you keep your access.`,
    where,
  ]);
}

export function endedLetter({ userId }: Subscription, name: string, facts: SubscriptionFacts): Letter {
  const unpaid = facts.endReason === 'payment_failed' || facts.status === 'unpaid';
  return letter(userId, `Your subscription to ${name} has ended`, [
    unpaid
      ? `Your subscription to ${name} has ended, since it could not be paid. Your access has ended with it.`
      : `Your subscription to ${name} has ended, and your access with it. Nothing more is charged.`,
    'You are welcome back at any time: subscribe anew on our page.',
  ]);
}

export function trialEndsLetter(
  { userId, amountMinor, currency }: Subscription,
  name: string,
  trialEnd: number,
): Letter {
  return letter(userId, `Your trial of ${name} ends on ${day(trialEnd)}`, [
    `Your trial of ${name} ends on ${day(trialEnd)}. From then on it costs ${money(amountMinor, currency)} each period, charged to your saved card.`,
    'If you do not want that, cancel it before then. Without a saved card it just ends.',
    where,
  ]);
}
