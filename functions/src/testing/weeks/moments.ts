import type { Timestamp } from 'firebase-admin/firestore';
import type { LedgerDocument } from '../../ledger/ledger.ts';
import type { Payout, PayoutItem } from '../../payouts/payouts.ts';
import type { Stage } from './stage.ts';

/**
 * Each payout against the moment it was frozen, from the ledger alone: not more than was owed then, and of no payment that
 * was disputed. What was booked in that very second may have come before or after: it counts in the payout's favour.
 */
export async function payoutsTooSoon(stage: Stage): Promise<string[]> {
  const ledger = await stage.all<LedgerDocument>('ledger');
  const found: string[] = [];
  for (const doc of (await stage.ctx.db.collection('payouts').get()).docs) {
    const payout = doc.data() as Payout;
    const own = ledger.filter(({ coachId, payoutId }) => coachId === payout.coachId && payoutId !== doc.id);
    const most = owedAtMost(own, payout.createdAt);
    if (payout.amountMinor > most) found.push(`payouts/${doc.id} is ${payout.amountMinor}, at most ${most} was owed`);
    for (const item of (await doc.ref.collection('items').get()).docs) {
      const { paymentId, amountMinor } = item.data() as PayoutItem;
      const about = ledger.filter((document) => document.paymentId === paymentId);
      if (amountMinor > 0 && restedAt(about, payout.createdAt))
        found.push(`payouts/${doc.id} has ${amountMinor} of ${paymentId}, which was disputed`);
    }
  }
  return found;
}

const isBefore = (document: LedgerDocument, at: Timestamp): boolean => document.createdAt.toMillis() < at.toMillis();

function owedAtMost(own: readonly LedgerDocument[], at: Timestamp): number {
  let owed = 0;
  for (const document of own) {
    const more = -(document.deltas.coach_payable + document.deltas.coach_receivable);
    const sameMoment = document.createdAt.toMillis() === at.toMillis();
    if (isBefore(document, at) || (sameMoment && more > 0)) owed += more;
  }
  return owed;
}

const endings: readonly string[] = ['dispute_reinstated', 'dispute_lost'];

function restedAt(about: readonly LedgerDocument[], at: Timestamp): boolean {
  const withdrawn = about.filter(({ kind }) => kind === 'dispute_withdrawn');
  const ended = about.filter(({ kind, createdAt }) => endings.includes(kind) && createdAt.toMillis() <= at.toMillis());
  return ended.length === 0 && withdrawn.some((document) => isBefore(document, at));
}
