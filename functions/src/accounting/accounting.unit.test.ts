import { Timestamp } from 'firebase-admin/firestore';
import { minor } from '../platform/money.ts';
import {
  inTime,
  leaseMs,
  mayPost,
  mustLookUp,
  posted,
  putBack,
  rejected,
  retried,
  settleMs,
  stillLeased,
  takeLease,
  unclear,
  withoutDoubt,
  type Voucher,
} from './accounting.ts';

const start = new Date('2026-11-21T01:00:00Z');
const after = (ms: number) => new Date(start.getTime() + ms);
const ready: Voucher = {
  id: 'v_1',
  kind: 'sale',
  ledgerIds: ['ch_1:sale'],
  profile: 'specification',
  ruleVersion: 1,
  series: 'S',
  date: '2026-11-20',
  description: 'Försäljning ch_1 abc',
  key: 'abc',
  rows: [],
  clearingMinor: minor(0),
  clearingAccount: 1686,
  state: 'ready',
  attempts: 0,
  createdAt: Timestamp.fromDate(start),
  updatedAt: Timestamp.fromDate(start),
};

function leased(voucher: Voucher, now: Date): Voucher {
  const lease = takeLease(voucher, now);
  if (!lease.taken) throw new Error(lease.because);
  return lease.voucher;
}

describe('a voucher on its way', () => {
  it('is taken by one worker at a time', () => {
    const first = leased(ready, start);
    expect(first).toMatchObject({ state: 'sending', attempts: 1 });
    expect(takeLease(first, after(leaseMs - 1))).toEqual({ taken: false, because: 'being sent' });
    const second = leased(first, after(leaseMs));
    expect(stillLeased(second, first)).toBe(false);
    expect(stillLeased(second, second)).toBe(true);
  });

  it('is posted without a look-up on the very first attempt only', () => {
    const first = leased(ready, start);
    expect(mustLookUp(first)).toBe(false);
    expect(mustLookUp(leased(putBack(first, 'later', 0, start), after(1)))).toBe(true);
    expect(mustLookUp(leased(first, after(leaseMs)))).toBe(true);
  });

  it('left by a dead worker may have been posted when that one took it', () => {
    const dead = leased(leased(ready, start), after(leaseMs));
    expect(dead.unclearAt?.toMillis()).toBe(start.getTime());
    expect(mayPost(dead, after(leaseMs))).toBe(true);
  });

  it('is not posted again until a look-up 30 s after an unclear post', () => {
    const asked = unclear(leased(ready, start), 'connection lost', after(1000));
    expect(asked.state).toBe('unknown');
    const again = leased(asked, after(2000));
    expect(mayPost(again, after(1000 + settleMs - 1))).toBe(false);
    expect(putBack(again, 'too early', 0, after(2000)).state).toBe('unknown');
    expect(mayPost(again, after(1000 + settleMs))).toBe(true);
    expect(putBack(withoutDoubt(again), 'year missing', 0, after(2000)).state).toBe('ready');
  });

  it('is not posted by a worker that slept through half of its lease', () => {
    const mine = leased(ready, start);
    expect(inTime(mine, after(leaseMs / 2 - 1))).toBe(true);
    expect(inTime(mine, after(leaseMs / 2))).toBe(false);
  });

  it('once posted or rejected keeps nothing of the way there', () => {
    const asked = leased(unclear(leased(ready, start), 'lost', start), after(leaseMs));
    const done = posted(asked, { number: 12, financialYearId: 2, reference: 'S 12 (2026)' }, after(leaseMs));
    expect(done).toMatchObject({ state: 'posted', fortnoxNumber: 12, fortnoxReference: 'S 12 (2026)', attempts: 2 });
    for (const field of ['error', 'sendingSince', 'unclearAt', 'nextTryAt']) expect(done).not.toHaveProperty(field);
    expect(takeLease(done, after(leaseMs * 2))).toEqual({ taken: false, because: 'posted' });
    const refused = rejected(asked, 'Konto "3921" är inte aktivt', 2000550, after(1));
    expect(takeLease(refused, after(leaseMs * 2))).toEqual({ taken: false, because: 'rejected' });
    expect(mustLookUp(leased(retried(refused, after(2)), after(3)))).toBe(true);
  });
});
