import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { completeOnboarding } from '../../../scripts/story/emulators.ts';
import { newCoach } from '../coaches/coaches.ts';
import type { Terms } from '../coaches/terms.ts';
import { testConfig, type TestWorld } from './world.ts';

/** An onboarded connected account and its coach. With `direct` terms a tenant of their own, who takes cards; `paysStripe`: and pays Stripe's fees. */
export async function onboardedCoach(
  world: TestWorld,
  coachId: string,
  terms: Partial<Terms> = {},
  paysStripe = false,
): Promise<string> {
  const direct = terms.chargeModel === 'direct';
  const { id, url } = await makeAccount(world.stripe, direct, paysStripe);
  await completeOnboarding(url);
  const coach = newCoach(testConfig, Timestamp.fromDate(world.now()));
  await world.ctx.db.doc(`coaches/${coachId}`).set({
    ...coach,
    stripeAccountId: id,
    accountStatus: 'active',
    chargesEnabled: true,
    takesCards: direct,
    payoutsEnabled: true,
    acceptsPayments: true,
    terms: { ...coach.terms, ...terms },
  });
  return id;
}

async function makeAccount(stripe: Stripe, direct: boolean, paysStripe: boolean): Promise<{ id: string; url: string }> {
  const account = await stripe.accounts.create({
    country: 'SE',
    controller: {
      fees: { payer: paysStripe ? 'account' : 'application' },
      losses: { payments: paysStripe ? 'stripe' : 'application' },
      stripe_dashboard: { type: direct ? 'full' : 'express' },
      requirement_collection: 'stripe',
    },
    capabilities: { transfers: { requested: true }, ...(direct ? { card_payments: { requested: true } } : {}) },
    settings: { payouts: { schedule: { interval: 'manual' } } },
  });
  const address = 'http://127.0.0.1/return';
  const link = await stripe.accountLinks.create({
    account: account.id,
    type: 'account_onboarding',
    return_url: address,
    refresh_url: address,
  });
  return { id: account.id, url: link.url };
}

/** Available and pending together, öre, at Stripe. */
export async function balanceAt(stripe: Stripe, stripeAccount?: string): Promise<number> {
  const { available, pending } = await stripe.balance.retrieve({}, stripeAccount ? { stripeAccount } : {});
  return [...available, ...pending].reduce((total, { amount }) => total + amount, 0);
}
