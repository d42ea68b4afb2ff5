import { Timestamp } from 'firebase-admin/firestore';
import { totalsByState } from '../accounting/accounting.service.ts';
import { raiseFlag } from '../admin/flags.service.ts';
import { pageOfCoaches } from '../coaches/coaches.service.ts';
import { stripeTotals, totalsBefore } from '../ledger/ledger.service.ts';
import { businessDate, startOfBusinessDate, type BusinessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { messageOf } from '../platform/errors.ts';
import { minor, sum, zero } from '../platform/money.ts';
import { classifyStripeError } from '../platform/stripe.ts';
import { ledgerTotal, proveAccount, type Owner } from './account.service.ts';
import { recoverForgotten } from '../webhooks/recovery.service.ts';
import { proveFortnox } from './fortnox-side.service.ts';
import { differenceFlag, needsPerson, unverifiableFlag } from './reconciliation-flags.ts';
import * as logs from './reconciliation.logs.ts';
import {
  countStates,
  listLimit,
  platformAccount,
  type AccountProof,
  type Difference,
  type Reconciliation,
  type VoucherCounts,
} from './reconciliation.ts';
import * as store from './reconciliation.store.ts';

const coachesPerPage = 100;
/** Accounts looked at side by side; Stripe allows 100 calls a second (25 in a sandbox). */
const sideBySide = 5;

/**
 * Proves that Stripe, the ledger and the vouchers agree at the start of the run's Stockholm day, stores the proof in
 * `reconciliations/{date}` and tells a person of every difference. Running it again for the same day replaces the proof.
 */
export async function reconcileDay(ctx: Context, scheduledAt: Date): Promise<Reconciliation> {
  const date = businessDate(scheduledAt);
  const cut = startOfBusinessDate(date);
  await bookForgotten(ctx);
  const night = new Night(ctx, date, cut, await store.nightBefore(ctx.db, date));
  await night.prove({ account: platformAccount });
  for (let after: string | undefined; ;) {
    const page = await pageOfCoaches(ctx, { ...(after === undefined ? {} : { after }), limit: coachesPerPage });
    for (let i = 0; i < page.length; i += sideBySide) {
      await Promise.all(
        page.slice(i, i + sideBySide).map(async ({ coachId, coach }) => {
          if (!coach.stripeAccountId) return;
          const owner = { account: coach.stripeAccountId, coachId };
          if (coach.accountStatus === 'deauthorized')
            await night.cannotSee(owner, 'The coach has disconnected the account.');
          else await night.prove(owner);
        }),
      );
    }
    after = page.at(-1)?.coachId;
    if (page.length < coachesPerPage) break;
  }
  return night.end();
}

/** What was never heard of is booked before it is proven. Where Stripe does not answer, the proof says so itself. */
async function bookForgotten(ctx: Context): Promise<void> {
  try {
    logs.forgottenBooked(ctx.log, await recoverForgotten(ctx, ctx.clock.now()));
  } catch (error) {
    logs.forgottenUnread(ctx.log, messageOf(error));
  }
}

/** One run's findings. */
class Night {
  readonly #ctx: Context;
  readonly #date: BusinessDate;
  readonly #cut: Date;
  readonly #before: Reconciliation | undefined;
  readonly #shown: AccountProof[] = [];
  readonly #counts = countStates([]);
  readonly #differences: Difference[] = [];
  /** What coaches' documents moved in connected accounts, by currency. */
  readonly #coachesMinor = new Map<string, number>();

  constructor(ctx: Context, date: BusinessDate, cut: Date, before: Reconciliation | undefined) {
    this.#ctx = ctx;
    this.#date = date;
    this.#cut = cut;
    this.#before = before;
  }

  async prove(owner: Owner): Promise<void> {
    const before = await this.#provenBefore(owner);
    try {
      await this.#keep(await proveAccount(this.#ctx, owner, this.#cut, before));
    } catch (error) {
      const failure = classifyStripeError(error);
      const gone = failure.kind === 'refused' && (failure.status === 403 || failure.code === 'account_invalid');
      if (gone && 'coachId' in owner) await this.cannotSee(owner, failure.message);
      else await this.#leave(owner, 'unchecked', messageOf(error), before);
    }
  }

  async cannotSee(owner: Owner, why: string): Promise<void> {
    const before = await this.#provenBefore(owner);
    await this.#leave(owner, 'unverifiable', why, before);
    await raiseFlag(this.#ctx, unverifiableFlag(owner.account, this.#date, why));
  }

  async end(): Promise<Reconciliation> {
    const { vouchers, difference } = await proveVouchers(this.#ctx);
    this.#note(difference ? [difference] : []);
    this.#note(await this.#coachesDiffer());
    const { differences, ...fortnox } = await proveFortnox(this.#ctx, this.#before?.fortnox.provenUntil ?? null);
    this.#note(differences);
    const night: Reconciliation = {
      date: this.#date,
      cut: Timestamp.fromDate(this.#cut),
      ranAt: Timestamp.fromDate(this.#ctx.clock.now()),
      ok: this.#differences.length === 0 && !this.#unseen() && fortnox.error === undefined,
      counts: this.#counts,
      accounts: this.#shown.map(({ account, currency, state, ledgerMinor, transactionsMinor, stripeMinor }) => {
        return { account, currency, state, ledgerMinor, transactionsMinor, stripeMinor };
      }),
      vouchers,
      fortnox,
      differences: this.#differences,
    };
    await store.saveNight(this.#ctx.db, night);
    if (needsPerson(night)) await raiseFlag(this.#ctx, differenceFlag(night));
    logs.nightProven(this.#ctx.log, night);
    return night;
  }

  #unseen(): boolean {
    return this.#counts.unchecked > 0 || this.#counts.unverifiable > 0;
  }

  async #provenBefore(owner: Owner): Promise<AccountProof[]> {
    return this.#before ? store.accountProofs(this.#ctx.db, this.#before.date, owner.account) : [];
  }

  async #keep(proofs: readonly AccountProof[]): Promise<void> {
    for (const proof of proofs) {
      await store.saveProof(this.#ctx.db, this.#date, { ...proof, differences: proof.differences.slice(0, listLimit) });
      this.#counts[proof.state] += 1;
      if (proof.coachId) {
        this.#coachesMinor.set(proof.currency, (this.#coachesMinor.get(proof.currency) ?? 0) + proof.ledgerMinor);
      }
      const shown = proof.state !== 'ok' || proof.account === platformAccount || this.#shown.length < listLimit / 2;
      if (shown && this.#shown.length < listLimit) this.#shown.push(proof);
      this.#note(proof.differences);
    }
  }

  /** An account that could not be looked at keeps what was proven of it before. */
  async #leave(
    owner: Owner,
    state: 'unverifiable' | 'unchecked',
    error: string,
    before: readonly AccountProof[],
  ): Promise<void> {
    logs.accountUnread(this.#ctx.log, owner.account, state, error);
    const currencies = new Set([this.#ctx.config.currency, ...before.map((one) => one.currency)]);
    const proofs = [...currencies].map(async (currency): Promise<AccountProof> => {
      return {
        account: owner.account,
        ...('coachId' in owner ? { coachId: owner.coachId } : {}),
        currency,
        state,
        ledgerMinor: await ledgerTotal(this.#ctx, owner, this.#cut, currency),
        transactionsMinor: zero,
        stripeMinor: zero,
        balanceMinor: zero,
        afterCutMinor: zero,
        transactions: 0,
        closed: before.find((one) => one.currency === currency)?.closed ?? null,
        differences: [],
        error,
      };
    });
    await this.#keep(await Promise.all(proofs));
  }

  /** Every document that moved a connected account must be some coach's. */
  async #coachesDiffer(): Promise<Difference[]> {
    const found: Difference[] = [];
    for (const currency of new Set([this.#ctx.config.currency, ...this.#coachesMinor.keys()])) {
      const ledgerMinor = (await totalsBefore(this.#ctx.db, this.#cut, currency)).stripe_connected;
      const otherMinor = minor(this.#coachesMinor.get(currency) ?? 0);
      if (ledgerMinor === otherMinor) continue;
      found.push({ kind: 'coaches-differ', account: 'coaches', currency, ids: [], ledgerMinor, otherMinor });
    }
    return found;
  }

  #note(differences: readonly Difference[]): void {
    this.#differences.push(...differences.slice(0, listLimit - this.#differences.length));
  }
}

/**
 * The clearing account of the vouchers against the ledger, at one moment: what the documents moved in Stripe is on a
 * voucher (in a named state) or not grouped yet.
 */
export async function proveVouchers(ctx: Context): Promise<{ vouchers: VoucherCounts; difference?: Difference }> {
  const { currency } = ctx.config;
  const { all, ungrouped, states } = await ctx.db.runTransaction(
    async (tx) => ({
      all: await stripeTotals(ctx.db, tx, currency, 'all'),
      ungrouped: await stripeTotals(ctx.db, tx, currency, 'ungrouped'),
      states: await totalsByState(ctx.db, tx),
    }),
    { readOnly: true },
  );
  const { ready, sending, posted, rejected, unknown } = states;
  const vouchers: VoucherCounts = {
    ungrouped: ungrouped.count,
    ready: ready.count,
    sending: sending.count,
    posted: posted.count,
    rejected: rejected.count,
    unknown: unknown.count,
  };
  const clearing = sum([ready, sending, posted, rejected, unknown].map((state) => state.clearingMinor));
  const ledgerMinor = minor(all.stripeMinor - ungrouped.stripeMinor);
  if (clearing === ledgerMinor) return { vouchers };
  const difference: Difference = {
    kind: 'clearing-differs',
    account: 'vouchers',
    currency,
    ids: [],
    ledgerMinor,
    otherMinor: clearing,
  };
  return { vouchers, difference };
}
