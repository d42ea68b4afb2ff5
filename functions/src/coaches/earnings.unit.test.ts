import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { minor } from '../platform/money.ts';
import { fillEarning, markPaid, movePaid, newEarning, openMinor, type NewEarning } from './earnings.ts';

const at = Timestamp.fromMillis(1_800_000_000_000);
const before = Timestamp.fromMillis(at.toMillis() - 1000);
const after = Timestamp.fromMillis(at.toMillis() + 1000);
const sale: NewEarning = {
  paymentId: 'pi_1',
  amountMinor: minor(49_900),
  feeMinor: minor(9_900),
  currency: 'SEK',
  description: 'Programme',
  customerName: 'Anna',
  ledgerId: 'ch_1:sale',
};

describe('an earning', () => {
  it('is pending until Stripe lets the money go', () => {
    expect(newEarning(sale, at)).toMatchObject({ status: 'pending', settlement: 'open' });
    expect(newEarning({ ...sale, availableOn: after }, at)).toMatchObject({ status: 'pending' });
    expect(newEarning({ ...sale, availableOn: before }, at)).toMatchObject({ status: 'available' });
  });

  it('told again, takes only an availableOn it did not have', () => {
    const known = newEarning(sale, at);
    expect(fillEarning(known, { ...sale, customerName: 'Another' }, at)).toBeUndefined();
    const filled = fillEarning(known, { ...sale, availableOn: before }, at);
    expect(filled).toMatchObject({ availableOn: before, status: 'available', customerName: 'Anna' });
    expect(filled && fillEarning(filled, { ...sale, availableOn: after }, at)).toBeUndefined();
  });

  it('given back what payouts took is as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -60_000, max: 60_000 })), (amounts) => {
        const fresh = newEarning({ ...sale, availableOn: before }, at);
        let moved = fresh;
        for (const amount of amounts) moved = markPaid(movePaid(moved, minor(amount), at), at);
        for (const amount of amounts) moved = movePaid(moved, minor(-amount), at);
        expect(moved).toEqual(fresh);
      }),
    );
  });

  it('says open, debt or settled as its amounts do', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 80_000 }), (paid) => {
        const moved = movePaid(newEarning(sale, at), minor(paid), at);
        const open = openMinor(moved);
        expect(moved.settlement).toBe(open > 0 ? 'open' : open < 0 ? 'debt' : 'settled');
        expect(markPaid(moved, at).status).toBe(open === 0 ? 'paid' : 'pending');
      }),
    );
  });
});
