import type { FortnoxEmulator } from '../../../../emulators/fortnox/index.ts';
import { addDays, type BusinessDate } from '../../platform/clock.ts';

/** Days of the months, from 0: from the first until the last, on which it is mended. */
type Span = readonly [from: number, until: number];

/** What people do, leave undone and mend in Fortnox, and when it or Stripe is not there. Changes come before the night's run. */
export const wrongInFortnox = {
  locked: [8, 12],
  inactive: [20, 25],
  /** A row of a posted voucher is moved to another account between the night's run and its proof. */
  altered: [34, 37],
  /** The new year's first days: nobody has created it yet. */
  yearMissing: [46, 52],
} as const satisfies Record<string, Span>;

/** Nights whose proof meets a Fortnox, or a Stripe, that does not answer. */
export const fortnoxAway = 30;
export const stripeAway = 44;

export const isWithin = (day: number, [from, until]: Span): boolean => day >= from && day < until;

/** Who keeps the books in Fortnox. */
export class Keepers {
  readonly #fortnox: FortnoxEmulator;
  /** Not to be posted to while it is inactive. */
  readonly inactiveAccount: number;
  /** The last locked day, while the period is locked. */
  readonly lockedTo: BusinessDate;
  readonly newYear: BusinessDate = '2027-01-01';
  /** The voucher that somebody has changed, and the account its row had. */
  altered: { description: string; account: number } | undefined;

  constructor(fortnox: FortnoxEmulator, first: BusinessDate, inactiveAccount: number) {
    this.#fortnox = fortnox;
    this.inactiveAccount = inactiveAccount;
    this.lockedTo = addDays(first, wrongInFortnox.locked[1]);
  }

  /** Before the night's run. */
  morning(day: number): void {
    const state = this.#fortnox.core.state();
    const { locked, inactive, yearMissing } = wrongInFortnox;
    state.lockedPeriod = isWithin(day, locked) ? this.lockedTo : null;
    for (const book of Object.values(state.books)) {
      const account = book.accounts[this.inactiveAccount];
      if (account) account.active = !isWithin(day, inactive);
    }
    const next = { id: 3, from: this.newYear, to: '2027-12-31' };
    const others = state.years.filter(({ id }) => id < next.id);
    state.years = day < yearMissing[1] ? others : [...others, next];
  }

  /** Before the proof: a voucher of this night is altered, or mended. */
  beforeProof(day: number): void {
    const [from, until] = wrongInFortnox.altered;
    if (day === from) this.#alter();
    if (day === until) this.#mend();
  }

  #alter(): void {
    const { vouchers } = this.#fortnox.core.state();
    const last = vouchers.at(-1);
    const row = last?.rows.find(({ account }) => account !== 1686);
    if (!last || !row) throw new Error('There is no voucher to alter.');
    this.altered = { description: last.description, account: row.account };
    this.#replace(row.account, cash);
  }

  #mend(): void {
    if (this.altered) this.#replace(cash, this.altered.account);
    this.altered = undefined;
  }

  #replace(from: number, to: number): void {
    const state = this.#fortnox.core.state();
    state.vouchers = state.vouchers.map((voucher) =>
      voucher.description === this.altered?.description
        ? { ...voucher, rows: voucher.rows.map((row) => (row.account === from ? { ...row, account: to } : row)) }
        : voucher,
    );
  }
}

/** Nothing of ours posts to it. */
const cash = 1910;
