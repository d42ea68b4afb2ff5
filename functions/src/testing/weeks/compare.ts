import type { Coach } from '../../coaches/coaches.ts';
import type { Earning } from '../../coaches/earnings.ts';
import { trialBalance, type LedgerDocument } from '../../ledger/ledger.ts';
import type { Transfer } from '../../payments/transfers/transfers.ts';
import { cameBack, type Payout, type PayoutItem } from '../../payouts/payouts.ts';
import type { PlatformPayout } from '../../payouts/platform/platform.ts';
import type { RunCoach } from '../../payouts/runs.ts';
import type { Session } from '../../sessions/sessions.ts';
import { sessionPrice } from './sessions.ts';
import { proveAccount } from '../../reconciliation/account.service.ts';
import { checkInvariants } from '../../reconciliation/invariants.service.ts';
import { payoutsTooSoon } from './moments.ts';
import type { Played } from './play.ts';
import type { Stage } from './stage.ts';

/**
 * What must be true at the end of every week, said in the test's own arithmetic and from Stripe's own books. Returns what
 * is not.
 */
export async function differences({ stage, market, surprises }: Played): Promise<string[]> {
  const found = [...surprises];
  const check = (holds: boolean, what: string) => {
    if (!holds) found.push(what);
  };
  await checkLoose(stage, check);
  await checkPayouts(stage, check);
  await checkPlatform(stage, check);
  found.push(...(await payoutsTooSoon(stage)));
  await checkBooks(stage, market.sellers, check);
  for (const seller of market.sellers) await checkCoach(stage, seller, check);
  return found;
}

type Check = (holds: boolean, what: string) => void;

const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);

/** Flags that say that something went wrong which must never go wrong. */
const never = [
  'payout-twice',
  'payout-exists-after-all',
  'payout-amount',
  'payout-not-ours',
  'ledger-mismatch',
  'transfer-differs',
  'invariant',
];

/** Nothing is left in the middle of anything. */
async function checkLoose(stage: Stage, check: Check): Promise<void> {
  const events = await stage.all<{ state: string; type: string; error?: string; waitingFor?: string }>('stripeEvents');
  for (const { state, type, error, waitingFor } of events) {
    check(state === 'applied' || state === 'ignored', `${type} is ${state}: ${error ?? waitingFor ?? ''}`);
  }
  for (const { state, command } of await stage.all<{ state: string; command: string }>('requests')) {
    check(state !== 'started', `a command ${command} is still open`);
  }
  check((await stage.all('payoutLocks')).length === 0, 'a payout lock is left behind');
  for (const order of await stage.all<Transfer>('transfers')) {
    const isDebt = order.kind === 'reversal' && order.status === 'refused';
    const settled = order.status === 'done' || order.status === 'canceled' || isDebt;
    check(settled, `a ${order.kind} of ${order.amountMinor} is ${order.status} (${order.failureCode ?? ''})`);
  }
  for (const { status, amountMinor } of await stage.all<{ status: string; amountMinor: number }>('refunds')) {
    check(status !== 'unknown', `a refund of ${amountMinor} is unknown`);
  }
  for (const { id, kind, message } of await stage.all<{ id: string; kind: string; message: string }>('flags')) {
    check(!never.some((one) => kind.startsWith(one)), `flag ${id}: ${message}`);
  }
}

const stripePayouts = (stage: Stage) =>
  [...stage.core.world.books.values()].flatMap((book) =>
    [...book.payouts.values()].map((payout) => ({ account: book.account, payout })),
  );

/** Each payout at Stripe has exactly one document, and the reverse; items sum to it. */
async function checkPayouts(stage: Stage, check: Check): Promise<void> {
  const snapshot = await stage.ctx.db.collection('payouts').get();
  const documents = snapshot.docs.map((doc) => ({ id: doc.id, payout: doc.data() as Payout }));
  const made = stripePayouts(stage);
  for (const { payout } of documents) {
    stage.count(payout.stripePayoutId === undefined ? 'payout: never left' : `payout: ${payout.status}`);
  }
  for (const { account, payout } of made) {
    const own = documents.filter(({ payout: document }) => document.stripePayoutId === payout.id);
    check(own.length === 1, `${payout.id} of ${payout.amount} at Stripe has ${own.length} documents`);
    for (const { id, payout: document } of own) {
      const same =
        document.amountMinor === payout.amount &&
        document.stripeStatus === payout.status &&
        document.stripeAccountId === account &&
        payout.metadata?.payoutId === id;
      check(same, `payouts/${id} says ${document.amountMinor} ${document.stripeStatus}, Stripe ${payout.status}`);
    }
  }
  for (const { id, payout } of documents) {
    const atStripe = made.filter((one) => one.payout.metadata?.payoutId === id);
    const neverLeft = payout.stripePayoutId === undefined && cameBack(payout.status);
    check(neverLeft ? atStripe.length === 0 : atStripe.length === 1, `payouts/${id} has ${atStripe.length} at Stripe`);
    check(payout.status !== 'unknown' && payout.itemsReserved === !cameBack(payout.status), `payouts/${id} is open`);
    const items =
      (
        await snapshot.docs
          .find((doc) => doc.id === id)
          ?.ref.collection('items')
          .get()
      )?.docs ?? [];
    const total = sum(items.map((item) => (item.data() as PayoutItem).amountMinor));
    check(total === payout.amountMinor, `payouts/${id} is ${payout.amountMinor}, its items ${total}`);
  }
}

/** The platform's own: each at Stripe is noted once, as it ended. */
async function checkPlatform(stage: Stage, check: Check): Promise<void> {
  const noted = await stage.all<PlatformPayout>('platformPayouts');
  for (const payout of stage.core.world.platform.payouts.values()) {
    const own = noted.filter(({ stripePayoutId }) => stripePayoutId === payout.id);
    const same = own.every(
      ({ amountMinor, stripeStatus }) => amountMinor === payout.amount && stripeStatus === payout.status,
    );
    check(own.length === 1 && same, `${payout.id} of the platform's ${payout.amount} is noted ${own.length} times`);
    stage.count(`platform payout: ${payout.status}`);
  }
  check(
    noted.every(({ status }) => status !== 'unknown' && status !== 'pending'),
    'a payout of the platform is open',
  );
}

const balanceAt = (stage: Stage, account: string): number => {
  const { world } = stage.core;
  const book = account === world.platform.account ? world.platform : world.books.get(account);
  const { available = 0, pending = 0 } = book?.funds.get('sek') ?? {};
  return available + pending;
};

/** The ledger is Stripe's balances, account by account, and every movement has its document. */
async function checkBooks(stage: Stage, sellers: readonly { coachId: string; account: string }[], check: Check) {
  const ledger = await stage.all<LedgerDocument>('ledger');
  const books = trialBalance(ledger);
  const platform = balanceAt(stage, stage.core.world.platform.account);
  check(
    books.stripe_platform === platform,
    `the ledger has ${books.stripe_platform} on the platform, Stripe ${platform}`,
  );
  for (const { account } of sellers) {
    const own = ledger.filter((document) => document.stripeAccountId === account);
    const connected = sum(own.map((document) => document.deltas.stripe_connected));
    const there = balanceAt(stage, account);
    check(connected === there, `the ledger has ${connected} on ${account}, Stripe ${there}`);
  }
  for (const [name, holds] of Object.entries({ ...(await checkInvariants(stage.ctx)) }))
    check(holds, `invariant ${name}`);
  const cut = new Date(stage.now().getTime() + 1_000);
  const owners = [{ account: 'platform' as const }, ...sellers];
  for (const owner of owners) {
    for (const proof of await proveAccount(stage.ctx, owner, cut, [])) {
      const apart = proof.differences.map(({ kind, ids }) => `${kind} ${ids.join()}`);
      check(proof.state === 'ok', `${owner.account} is ${proof.state}: ${apart.join('; ')}`);
    }
  }
}

/** Terms of the weeks: 20 percent in whole kronor. */
const shareOf = (amount: number): number => amount - Math.floor(amount / 500) * 100;

/** Half up. */
const proportion = (whole: number, part: number, of: number): number => Math.floor((2 * whole * part + of) / (2 * of));

interface Entitled {
  /** Shares of sales, less what went back to customers. */
  theirs: number;
  /** Of it, what rests while a dispute is open and was not paid before. */
  held: number;
}

/** What is a coach's, from Stripe's charges, refunds and disputes alone. */
function entitled(stage: Stage, coachId: string, paid: ReadonlyMap<string, number>): Entitled {
  const { platform } = stage.core.world;
  const total: Entitled = { theirs: 0, held: 0 };
  for (const charge of platform.charges.values()) {
    if (!charge.paid || charge.metadata.coachId !== coachId || charge.metadata.sessionId) continue;
    const refunded = [...platform.refunds.values()]
      .filter((refund) => refund.charge === charge.id && refund.status !== 'failed' && refund.status !== 'canceled')
      .map(({ amount }) => amount);
    const disputes = [...platform.disputes.values()].filter((dispute) => dispute.charge === charge.id);
    const lost = disputes.filter(({ status }) => status === 'lost').map(({ amount }) => amount);
    const back = Math.min(charge.amount, sum(refunded) + sum(lost));
    const share = shareOf(charge.amount);
    const left = share - proportion(share, back, charge.amount);
    total.theirs += left;
    const open = disputes.some(({ status }) => status === 'needs_response' || status === 'under_review');
    if (open) total.held += Math.max(0, left - (paid.get(charge.payment_intent as string) ?? 0));
  }
  return total;
}

/** Their shares of sessions that took place, and of what was kept of those canceled late. */
async function ofSessions(stage: Stage, coachId: string, check: Check): Promise<number> {
  const own = (await stage.all<Session>('sessions')).filter((session) => session.coachId === coachId);
  const shares = own.map(({ status, paymentStatus, cancellation }) => {
    const kept = status === 'canceled' ? (cancellation?.keptMinor ?? 0) : 0;
    stage.count(`session: ${status}${kept > 0 ? ' late' : ''}`);
    check(kept === 0 || kept === sessionPrice / 2, `of a session canceled ${kept} is kept`);
    if (status === 'completed' || status === 'no_show') return shareOf(sessionPrice);
    check(status !== 'booked' || paymentStatus !== 'unpaid', 'a session nobody paid holds its time');
    return shareOf(kept);
  });
  return sum(shares);
}

/** Not paid twice, not short: what is not paid out is explained by a rule, to the öre. */
async function checkCoach(stage: Stage, { coachId, account }: { coachId: string; account: string }, check: Check) {
  const { db } = stage.ctx;
  const earnings = (await db.collection(`coaches/${coachId}/earnings`).get()).docs.map((doc) => doc.data() as Earning);
  const paidOf = new Map(earnings.map((earning) => [earning.paymentId, earning.paidMinor as number]));
  const { theirs: sales, held } = entitled(stage, coachId, paidOf);
  const theirs = sales + (await ofSessions(stage, coachId, check));
  const out = stripePayouts(stage).filter((one) => one.account === account && !isBack(one.payout));
  const paid = sum(out.map(({ payout }) => payout.amount));
  const left = theirs - paid;
  const ledger = (await stage.all<LedgerDocument>('ledger')).filter((document) => document.coachId === coachId);
  const { coach_payable: payable, coach_receivable: receivable } = trialBalance(ledger);
  check(left === -(payable + receivable), `${coachId} is owed ${left}, the ledger says ${-(payable + receivable)}`);
  const open = sum(earnings.map((each) => each.amountMinor - each.feeMinor - each.reversedMinor - each.paidMinor));
  check(open === left, `${coachId} is owed ${left}, their earnings say ${open}`);
  const loose = left - held;
  const coach = (await db.doc(`coaches/${coachId}`).get()).data() as Coach;
  const { minimumMinor } = coach.payoutSettings;
  check(loose < minimumMinor, `${coachId} is short of ${loose}: theirs ${theirs}, paid ${paid}, held ${held}`);
  stage.count(left === 0 ? 'left: nothing' : held > 0 ? 'left: held' : left > 0 ? 'left: below minimum' : 'left: debt');
  await checkExplained(stage, coachId, { left, loose }, check);
}

const isBack = ({ status }: { status: string }): boolean => status === 'failed' || status === 'canceled';

/** The last run says why nothing was paid, in the right word. */
async function checkExplained(
  stage: Stage,
  coachId: string,
  { left, loose }: { left: number; loose: number },
  check: Check,
): Promise<void> {
  const runs = await stage.ctx.db.collection('payoutRuns').orderBy('date', 'desc').limit(1).get();
  const last = (await runs.docs[0]?.ref.collection('coaches').doc(coachId).get())?.data() as RunCoach | undefined;
  if (last?.state === 'payout') return;
  const why = last?.state === 'nothing' ? last.reason : 'no word';
  const expected =
    left <= 0 ? ['nothing-owed'] : loose <= 0 ? ['nothing-available', 'below-minimum'] : ['below-minimum'];
  check(expected.includes(why), `${coachId} is owed ${left}, and the run says ${why}`);
}
