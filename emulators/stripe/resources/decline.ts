/** What a declined card tells: what to do next, and who declined it. */
import type Stripe from 'stripe';
import type { CardOutcome } from './test-cards.ts';

export type Decline = Extract<CardOutcome, { kind: 'declines' }>;

const FOR_GOOD = ['lost_card', 'stolen_card', 'fraudulent'];
const WRONG_DATA = ['expired_card', 'incorrect_cvc'];

/** Stripe's advice to the merchant: try again, ask for the card's data, or leave it. */
export function adviceOf({ code, declineCode }: Decline): 'try_again_later' | 'do_not_try_again' | 'confirm_card_data' {
  if (FOR_GOOD.includes(declineCode ?? '')) return 'do_not_try_again';
  return WRONG_DATA.includes(code) ? 'confirm_card_data' : 'try_again_later';
}

/** The outcome of the charge: declined by the issuer, or blocked by Radar before it was asked. */
export function declineOutcome(decline: Decline): Stripe.Charge.Outcome {
  const blocked = decline.declineCode === 'fraudulent';
  return {
    advice_code: adviceOf(decline),
    network_advice_code: null,
    network_decline_code: blocked ? null : '05',
    network_status: blocked ? 'not_sent_to_network' : 'declined_by_network',
    reason: blocked ? 'highest_risk_level' : (decline.declineCode ?? decline.code),
    risk_level: blocked ? 'highest' : 'normal',
    risk_score: blocked ? 99 : 12,
    seller_message: blocked ? 'Stripe blocked this payment as too risky.' : 'The bank returned a decline.',
    type: blocked ? 'blocked' : 'issuer_declined',
  };
}
