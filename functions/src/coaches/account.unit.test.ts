import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { hours } from '../platform/clock.ts';
import { acceptsPayments, accountStatus, connected, withAccount, withoutAccess, type AccountFacts } from './account.ts';
import { isResting, newCoach, needsOnboarding, payoutObstacle, withRest, type Coach } from './coaches.ts';

const at = Timestamp.fromMillis(1_800_000_000_000);
const config = { platformFeePercent: 20, feeRounding: 'whole', currency: 'SEK' } as const;

const anyFacts: fc.Arbitrary<AccountFacts> = fc.record({
  id: fc.constant('acct_1'),
  uid: fc.constant('coach'),
  chargesEnabled: fc.boolean(),
  payoutsEnabled: fc.boolean(),
  detailsSubmitted: fc.boolean(),
  transfers: fc.constantFrom('active', 'inactive', 'pending', 'something-new'),
  cardPayments: fc.constantFrom('active', 'inactive'),
  deadline: fc.constantFrom(null, 1_800_000_000),
  email: fc.constantFrom(null, 'karin@example.se', 'new@example.se'),
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
      kind: fc.constantFrom('bank_account', 'card'),
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
        const lost = withoutAccess(withAccount(newCoach(config, at), before, at), at, at);
        expect(withAccount(lost, late, at)).toEqual(lost);
        expect(payoutObstacle(lost, at.toDate())).toBe('account-not-active');
        expect(needsOnboarding(lost)).toBe(false);
      }),
    );
  });

  it('is connected or not by whichever was said later, in any order', () => {
    const when = fc.integer({ min: 1, max: 20 }).map((n) => Timestamp.fromMillis(at.toMillis() + n * 1000));
    const event = fc.record({ at: when, kind: fc.constantFrom('authorized' as const, 'deauthorized' as const) });
    const hear = (coach: Coach, { at: made, kind }: { at: Timestamp; kind: 'authorized' | 'deauthorized' }): Coach => {
      if (kind === 'authorized') return connected(coach, made);
      return (coach.authorizedAt?.toMillis() ?? 0) > made.toMillis() ? coach : withoutAccess(coach, made, at);
    };
    fc.assert(
      fc.property(fc.uniqueArray(event, { selector: (each) => each.at.toMillis() }), (events) => {
        const last = events.reduce<(typeof events)[number] | undefined>(
          (a, b) => (a && a.at.toMillis() > b.at.toMillis() ? a : b),
          undefined,
        );
        for (const order of [events, [...events].reverse(), [...events, ...events]]) {
          const coach = order.reduce(hear, newCoach(config, at));
          expect(coach.accountStatus === 'deauthorized').toBe(last?.kind === 'deauthorized');
        }
      }),
    );
  });

  it('makes payouts rest from a change of where they go, never from the first, and not for ever', () => {
    const destination = fc.constantFrom(undefined, 'ba_1', 'ba_2', 'card_3');
    fc.assert(
      fc.property(fc.array(destination, { maxLength: 6 }), fc.integer({ min: 0, max: 72 }), (ids, restHours) => {
        let coach = newCoach(config, at);
        let known: string | undefined;
        for (const id of ids) {
          const { payoutDestination: _before, ...kept } = coach;
          const told = id
            ? { ...kept, payoutDestination: { id, kind: 'bank_account' as const, last4: '1', status: 'new' } }
            : kept;
          const { coach: next, changed } = withRest(coach, told, hours(restHours), at);
          expect(changed).toBe(known !== undefined && id !== undefined && id !== known);
          if (changed) expect(isResting(next, at.toDate())).toBe(restHours > 0);
          expect(isResting(next, new Date(at.toMillis() + hours(restHours)))).toBe(false);
          known = id ?? known;
          coach = next;
        }
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
