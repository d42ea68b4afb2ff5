import { readFileSync } from 'node:fs';
import { ledgerKinds, trialBalance } from '../../ledger/ledger.ts';
import { sum } from '../../platform/money.ts';
import { profiles } from '../account-plan.ts';
import { documentPath, howToRegenerate, trialBalanceOf, withTable } from './document.ts';
import { monthOfTrade } from './month.ts';

it('docs/accounting.md shows the trial balances as they are', () => {
  const document = readFileSync(documentPath, 'utf8');
  if (withTable(document) !== document) {
    throw new Error(`The trial balances of ${documentPath} are out of date. Run: ${howToRegenerate}`);
  }
});

it('says which marker is lost', () => {
  expect(() => withTable('# Accounting')).toThrow('<!-- generated: trial balances -->');
});

it('the month has something of nearly every kind, and the ledger of it balances', () => {
  const kinds = new Set(monthOfTrade().map(({ kind }) => kind));
  expect(ledgerKinds.filter((kind) => !kinds.has(kind))).toEqual(['transfer', 'fee_refund', 'dispute_reinstated']);
  expect(sum(Object.values(trialBalance(monthOfTrade())))).toBe(0);
});

it.each(profiles)('%s balances, and its clearing account is what the ledger has in Stripe', (profile) => {
  const balance = trialBalanceOf(profile);
  const ledger = trialBalance(monthOfTrade());
  expect(sum(balance.values())).toBe(0);
  expect(balance.get(1686)).toBe(ledger.stripe_platform + ledger.stripe_connected);
});

it('the debt to coaches is the ledger’s own in agent and principal, and nowhere in specification', () => {
  const { coach_payable, customer_payable } = trialBalance(monthOfTrade());
  for (const profile of ['agent', 'principal'] as const) {
    expect(trialBalanceOf(profile).get(2899)).toBe(coach_payable + customer_payable);
  }
  // What a tenant has in Stripe, and what is owed to the customer.
  expect(trialBalanceOf('specification').get(2899)).toBe(-80_000 - 9_900);
});
