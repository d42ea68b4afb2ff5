import type { Letter } from '../../platform/mail.ts';
import { formatMoney } from '../../platform/money.ts';
import type { Dispute } from './disputes.ts';

const money = (dispute: Dispute): string => formatMoney(dispute.amountMinor, dispute.currency);

const letter = (coachId: string, subject: string, ...text: string[]): Letter => ({
  toUids: [coachId],
  message: { subject, text: text.join('\n\n') },
});

/** To the coach whose sale is disputed. */
export const openedLetter = (coachId: string, dispute: Dispute, description: string): Letter =>
  letter(
    coachId,
    `A customer's bank disputes a payment of ${money(dispute)}`,
    `The bank of the customer who paid for ${description} wants ${money(dispute)} back. We answer the bank for you.`,
    'Your share of this payment rests until the bank has decided; it is not in your payouts meanwhile.',
    'If you have something that shows what was delivered (messages, dates, notes), send it to us soon.',
  );

/** The bank decided for us. */
export const wonLetter = (coachId: string, dispute: Dispute, description: string): Letter =>
  letter(
    coachId,
    `The dispute over ${money(dispute)} is won`,
    `The bank has decided for you: the payment for ${description} stands.`,
    dispute.lostMinor > 0
      ? `The bank kept ${formatMoney(dispute.lostMinor, dispute.currency)} of it; the rest of your share is free again.`
      : 'Your share is free again and goes out with your next payout.',
  );

/** The bank decided for its customer. `bearsIt`: the house takes the share back from the coach. */
export const lostLetter = (coachId: string, dispute: Dispute, description: string, bearsIt: boolean): Letter =>
  letter(
    coachId,
    `The dispute over ${money(dispute)} is lost`,
    `The bank has decided for its customer and keeps ${formatMoney(dispute.lostMinor, dispute.currency)} of the payment for ${description}.`,
    bearsIt
      ? 'Your share of it is taken back from your balance. What was paid out to you already is taken off coming payouts; your coach page shows it.'
      : 'You keep your share: we bear the loss.',
  );
