import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { days } from '../../platform/clock.ts';
import { isHeld, laterStatus, lostMinor, mergeDispute, stageOf, type Dispute, type DisputeFacts } from './disputes.ts';

const at = Timestamp.fromMillis(1_795_000_000_000);
const dueMs = at.toMillis() + days(14);
const payment = { stripePaymentId: 'pi_1', userId: 'lisa', coachId: 'karin', chargeModel: 'destination' as const };

const facts = (status: string, withdrawnMinor = 0, reinstatedMinor = 0): DisputeFacts => ({
  id: 'du_1',
  status,
  reason: 'product_not_received',
  amountMinor: 49_900,
  currency: 'sek',
  createdMs: at.toMillis(),
  evidenceDueByMs: dueMs,
  isInquiry: status.startsWith('warning_'),
  withdrawnMinor,
  reinstatedMinor,
  evidenceSubmitted: status.endsWith('under_review'),
});

const after = (told: readonly DisputeFacts[], start?: Dispute): Dispute | undefined =>
  told.reduce<Dispute | undefined>((known, one) => mergeDispute(known, payment, one, at) ?? known, start);

/** Lives of a dispute, as Stripe can tell them. */
const lives: Record<string, DisputeFacts[]> = {
  'inquiry only': [facts('warning_needs_response'), facts('warning_under_review'), facts('warning_closed')],
  'inquiry escalated and lost': [
    facts('warning_needs_response'),
    facts('warning_under_review'),
    facts('needs_response', 49_900),
    facts('lost', 49_900),
  ],
  won: [
    facts('needs_response'),
    facts('needs_response', 49_900),
    facts('under_review', 49_900),
    facts('won', 49_900),
    facts('won', 49_900, 49_900),
  ],
  'won in part': [facts('needs_response', 49_900), facts('under_review', 49_900), facts('won', 49_900, 20_000)],
  lost: [facts('needs_response', 49_900), facts('under_review', 49_900), facts('lost', 49_900)],
  'lost, then won on appeal': [
    facts('needs_response', 49_900),
    facts('lost', 49_900),
    facts('appeal_needs_response', 49_900),
    facts('appeal_under_review', 49_900),
    facts('won', 49_900, 49_900),
  ],
  'prevented before it began': [facts('prevented')],
};

const ends = {
  'inquiry only': { stage: 'closed', lostMinor: 0, held: false },
  'inquiry escalated and lost': { stage: 'lost', lostMinor: 49_900, held: false },
  won: { stage: 'won', lostMinor: 0, held: false },
  'won in part': { stage: 'won', lostMinor: 29_900, held: false },
  lost: { stage: 'lost', lostMinor: 49_900, held: false },
  'lost, then won on appeal': { stage: 'won', lostMinor: 0, held: false },
  'prevented before it began': { stage: 'closed', lostMinor: 0, held: false },
} as const;

describe('where a dispute stands', () => {
  it.each(Object.entries(ends))('%s ends the same in every order, with every duplicate', (life, { held, ...end }) => {
    const told = lives[life] ?? [];
    const inOrder = after(told);
    expect(inOrder).toMatchObject(end);
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...told, ...told], { minLength: told.length * 2, maxLength: told.length * 2 }),
        (shuffled) => {
          const one = after(shuffled);
          const { remindAt: _one, ...rest } = one ?? {};
          const { remindAt: _other, ...wanted } = inOrder ?? {};
          expect(rest).toEqual(wanted);
          expect(one && isHeld(one)).toBe(held);
        },
      ),
    );
  });

  it('the share rests while the bank has the money and has not decided, or has not given it back yet', () => {
    expect(isHeld(facts('warning_needs_response'))).toBe(false);
    expect(isHeld(facts('needs_response'))).toBe(true);
    expect(isHeld(facts('under_review', 49_900))).toBe(true);
    expect(isHeld(facts('won', 49_900))).toBe(true);
    expect(isHeld(facts('won', 49_900, 49_900))).toBe(false);
    expect(isHeld(facts('won', 49_900, 20_000))).toBe(false);
    expect(isHeld(facts('lost', 49_900))).toBe(false);
  });

  it('money is lost only by a decision, and an appeal leaves it lost until it is won', () => {
    expect(lostMinor(facts('needs_response', 49_900))).toBe(0);
    expect(lostMinor(facts('won', 49_900))).toBe(0);
    expect(lostMinor(facts('lost', 20_000))).toBe(20_000);
    expect(lostMinor(facts('appeal_under_review', 49_900))).toBe(49_900);
  });

  it('a status that this version does not know is an open dispute', () => {
    expect(stageOf('something_new')).toBe('open');
    expect(isHeld(facts('something_new', 49_900))).toBe(true);
    expect(laterStatus('something_new', 'lost')).toBe('lost');
    expect(laterStatus('something_new', 'warning_closed')).toBe('something_new');
  });

  it('of two statuses the later is the same whichever is heard first, among any three', () => {
    const status = fc.constantFrom('needs_response', 'something_new', 'prevented', 'warning_closed', 'won', 'lost');
    fc.assert(
      fc.property(status, status, status, (a, b, c) => {
        expect(laterStatus(a, b)).toBe(laterStatus(b, a));
        expect(laterStatus(laterStatus(a, b), c)).toBe(laterStatus(a, laterStatus(b, c)));
      }),
    );
  });

  it('reminds three days before the deadline, and not when that is past already', () => {
    const opened = after([facts('needs_response', 49_900)]);
    expect(opened?.remindAt?.toMillis()).toBe(dueMs - days(3));
    expect(after([facts('lost', 49_900)], opened)).not.toHaveProperty('remindAt');
    const late = { ...facts('needs_response', 49_900), evidenceDueByMs: at.toMillis() + days(2) };
    expect(after([late])).not.toHaveProperty('remindAt');
    expect(after([{ ...late, evidenceDueByMs: 0 }])).not.toHaveProperty('evidenceDueBy');
  });
});
