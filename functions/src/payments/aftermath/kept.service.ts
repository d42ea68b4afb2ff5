import type { Transaction } from 'firebase-admin/firestore';
import type { Context } from '../../platform/context.ts';
import { minor } from '../../platform/money.ts';
import type { Write } from '../../platform/write.ts';
import type { Payment } from '../payments.ts';
import { planSessionShare } from '../release.service.ts';
import { releaseId } from '../transfers/transfers.ts';
import type { AftermathBooked } from './aftermath.ts';

/**
 * Plans what of a session canceled late is its coach's: their earning and its transfer, with the refund that the ledger
 * shares it in and not before, so that nobody is sent a part of money that may still go back whole. `send`:
 * orders to Stripe for after the commit.
 */
export async function planKept(
  ctx: Context,
  tx: Transaction,
  payment: Payment,
  { entries, kept, held: disputed }: Pick<AftermathBooked, 'entries' | 'kept' | 'held'>,
): Promise<{ writes: Write[]; send: string[] }> {
  const refund = entries.find(({ kind, stripeObjectId }) => kind === 'refund' && kept.has(stripeObjectId));
  const share = kept.get(refund?.stripeObjectId ?? '');
  const { sessionId } = payment;
  if (!refund || !share || !sessionId) return { writes: [], send: [] };
  const { coachMinor, feeMinor } = share;
  const grossMinor = minor(coachMinor + feeMinor);
  const ledgerId = refund.id;
  return {
    writes: await planSessionShare(ctx, tx, { sessionId, payment, grossMinor, coachMinor, ledgerId, disputed }),
    send: coachMinor > 0 ? [releaseId(sessionId)] : [],
  };
}
