import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { acceptsPayments, accountStatus, withAccount, withoutAccess, type AccountFacts } from './account.ts';
import { newCoach, needsOnboarding, payoutObstacle } from './coaches.ts';

const at = Timestamp.fromMillis(1_800_000_000_000);
const config = { platformFeePercent: 20, feeRounding: 'whole', currency: 'SEK' } as const;

const anyFacts: fc.Arbitrary<AccountFacts> = fc.record({
  id: fc.constant('acct_1'),
  uid: fc.constant('coach'),
  chargesEnabled: fc.boolean(),
  payoutsEnabled: fc.boolean(),
  detailsSubmitted: fc.boolean(),
  transfers: fc.constantFrom('active', 'inactive', 'pending', 'something-new'),
  requirementsDue: fc.subarray(['external_account', 'tos_acceptance.date']),
  disabledReason: fc.constantFrom(
    null,
    'requirements.past_due',
    'requirements.pending_verification',
    'under_review',
    'rejected.fraud',
    'rejected.other',
    'something.new',
  ),
  banks: fc.array(
    fc.record({
      id: fc.constantFrom('ba_1', 'ba_2'),
      currency: fc.constantFrom('SEK', 'EUR'),
      isDefault: fc.boolean(),
      last4: fc.constant('0003'),
      status: fc.constantFrom('new', 'errored'),
    }),
    { maxLength: 3 },
  ),
});

describe('where an account stands', () => {
  it('is one word for every answer Stripe can give', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        expect(['pending', 'restricted', 'active', 'rejected']).toContain(accountStatus(facts));
      }),
    );
  });

  it('is active only when a share can arrive and leave, and rejected whenever Stripe says so', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const rejected = facts.disabledReason?.startsWith('rejected.') === true;
        expect(accountStatus(facts) === 'rejected').toBe(rejected);
        if (accountStatus(facts) === 'active') {
          expect(facts).toMatchObject({ transfers: 'active', payoutsEnabled: true, detailsSubmitted: true });
        }
      }),
    );
  });

  it('takes payments only for an account that can receive them', () => {
    fc.assert(
      fc.property(anyFacts, fc.constantFrom('destination', 'separate', 'direct'), (facts, model) => {
        if (!acceptsPayments(facts, model)) return;
        expect(accountStatus(facts)).not.toBe('rejected');
        expect(model === 'direct' ? facts.chargesEnabled : facts.transfers === 'active').toBe(true);
      }),
    );
  });

  it('is the same however often the same account is saved, and forgets what no longer holds', () => {
    fc.assert(
      fc.property(anyFacts, anyFacts, (before, now) => {
        const coach = withAccount(newCoach(config, at), before, at);
        const once = withAccount(coach, now, at);
        expect(withAccount(once, now, at)).toEqual(once);
        expect(once).toEqual(withAccount({ ...newCoach(config, at), stripeAccountId: 'acct_1' }, now, at));
      }),
    );
  });

  it('stays deauthorised whatever arrives late, and is paid nothing', () => {
    fc.assert(
      fc.property(anyFacts, anyFacts, (before, late) => {
        const lost = withoutAccess(withAccount(newCoach(config, at), before, at), at);
        expect(withAccount(lost, late, at)).toEqual(lost);
        expect(payoutObstacle(lost)).toBe('account-not-active');
        expect(needsOnboarding(lost)).toBe(false);
      }),
    );
  });

  it('asks a coach to Stripe while something is missing there', () => {
    expect(needsOnboarding(undefined)).toBe(true);
    expect(needsOnboarding(newCoach(config, at))).toBe(true);
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const coach = withAccount(newCoach(config, at), facts, at);
        const todo = !facts.detailsSubmitted || facts.requirementsDue.length > 0;
        expect(needsOnboarding(coach)).toBe(todo && coach.accountStatus !== 'rejected');
      }),
    );
  });
});
