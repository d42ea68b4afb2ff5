import { Timestamp } from 'firebase-admin/firestore';
import { minor } from '../../platform/money.ts';
import { newTakeBack, newTransfer, type Transfer } from '../transfers/transfers.ts';
import { idleTakeBacks, recallsOf } from './recall.ts';

const order = { coachId: 'karin', stripeAccountId: 'acct_1', paymentId: 'pi_1', currency: 'SEK' };
const at = (second: number) => Timestamp.fromMillis(1_795_000_000_000 + second * 1000);

const sent = (id: string, amount: number, second: number, more: Partial<Transfer> = {}): [string, Transfer] => [
  id,
  {
    ...newTransfer({ ...order, id, amountMinor: minor(amount), sourceChargeId: 'ch_1' }, at(second)),
    ...more,
  },
];
const back = (id: string, amount: number, of: string, more: Partial<Transfer> = {}): [string, Transfer] => [
  id,
  { ...newTakeBack({ ...order, id, amountMinor: minor(amount), of: { orderId: of } }, at(9)), ...more },
];
const bundle = { chargeModel: 'separate' as const, stripePaymentId: 'pi_1' };

describe('which transfers a share is taken back from', () => {
  it('a destination charge has one of its own', () => {
    const payment = { chargeModel: 'destination' as const, stripePaymentId: 'pi_1', stripeTransferId: 'tr_1' };
    expect(recallsOf(payment, new Map(), minor(40_000))).toEqual([
      { of: { stripeTransferId: 'tr_1' }, amountMinor: 40_000 },
    ]);
  });

  it('a bundle’s sessions: the newest first, as far as they go, less what was taken before', () => {
    const orders = new Map([
      sent('session_1', 10_000, 1),
      sent('session_2', 10_000, 2),
      sent('session_3', 10_000, 3, { status: 'canceled' }),
      sent('session_4', 10_000, 4),
      back('dispute_du_0', 4_000, 'session_4', { status: 'done' }),
      back('dispute_du_1', 1_000, 'session_2', { status: 'canceled' }),
    ]);
    expect(recallsOf(bundle, orders, minor(17_000))).toEqual([
      { of: { orderId: 'session_4' }, amountMinor: 6_000 },
      { of: { orderId: 'session_2' }, amountMinor: 10_000 },
      { of: { orderId: 'session_1' }, amountMinor: 1_000 },
    ]);
    expect(() => recallsOf(bundle, orders, minor(26_001))).toThrow('1 öre more');
  });

  it('what is already asked of Stripe is not withdrawn, nor another dispute’s order', () => {
    const orders = new Map([
      back('dispute_du_1', 1_000, 'session_1', { status: 'refused', askedAt: at(1) }),
      back('dispute_du_1-2', 2_000, 'session_1'),
      back('dispute_du_1_3', 3_000, 'session_1', { status: 'unknown', askedAt: at(1) }),
      back('dispute_du_12', 4_000, 'session_1'),
      back('refund_1', 5_000, 'session_1'),
    ]);
    expect(idleTakeBacks(orders, 'du_1').map(([id]) => id)).toEqual(['dispute_du_1', 'dispute_du_1-2']);
  });
});
