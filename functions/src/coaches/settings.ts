import { Refusal } from '../platform/errors.ts';
import { formatMoney, minor, minorPerMajor, type Currency, type Minor } from '../platform/money.ts';
import { minimumPayout, type Cadence, type Coach, type PayoutSettings } from './coaches.ts';
import { split, type ChargeModel, type Invoicing, type Terms } from './terms.ts';

/** What an administrator may change of a coach; what is left out stays. */
export interface TermsChange {
  feePercent?: number | undefined;
  feeFixedMinor?: number | undefined;
  feeRounding?: Terms['feeRounding'] | undefined;
  chargeModel?: ChargeModel | undefined;
  /** The coach may give their own customers money back without an administrator. */
  mayRefund?: boolean | undefined;
  invoicing?: Invoicing | 'none' | undefined;
  /** The coach's VAT number; null: not registered for VAT. */
  vatNumber?: string | null | undefined;
  /** Who the coach is on invoices: both together. */
  invoiceName?: string | undefined;
  invoiceAddress?: string | undefined;
  cadence?: Cadence | undefined;
  /** Payouts rest for this reason; null lifts it. */
  holdReason?: string | null | undefined;
}

/** What must be known beside the coach's document. */
export interface TermsFacts {
  /** The ledger owes the coach nothing and the coach owes nothing. */
  settled: boolean;
  /** The platform's own name and address are configured: without them there are no invoices. */
  platformKnown: boolean;
}

/** The terms after a change. In force from now on: payments made before keep the split they were made with. Throws Refusal. */
export function changedTerms(coach: Coach, change: TermsChange, facts: TermsFacts): Terms {
  const { invoicing: before, ...terms } = coach.terms;
  const { feePercent, feeFixedMinor, feeRounding, chargeModel, mayRefund, invoicing = before ?? 'none' } = change;
  if (chargeModel !== undefined && chargeModel !== terms.chargeModel) requireSwitch(coach, chargeModel, facts);
  return {
    ...terms,
    ...(feePercent === undefined ? {} : { feePercent }),
    ...(feeFixedMinor === undefined ? {} : { feeFixedMinor: minor(feeFixedMinor) }),
    ...(feeRounding === undefined ? {} : { feeRounding }),
    ...(chargeModel === undefined ? {} : { chargeModel }),
    ...(mayRefund === undefined ? {} : { mayRefund }),
    ...(invoicing === 'none' ? {} : { invoicing }),
  };
}

/** With `direct` the coach's customers pay the coach and not us: money under way cannot belong to both. */
function requireSwitch(coach: Coach, to: ChargeModel, { settled }: TermsFacts): void {
  if (to !== 'direct' && coach.terms.chargeModel !== 'direct') return;
  if (!settled) {
    throw new Refusal(
      'failed-precondition',
      'coach-has-open-money',
      'The ledger still owes this coach money, or they owe some. Switch to or from direct charges once all is paid out.',
    );
  }
  const asked = coach.stripeAccountId !== undefined || coach.accountAsked !== undefined;
  if (to === 'direct' && asked && !(coach.takesCards === true && coach.chargesEnabled)) {
    throw new Refusal(
      'failed-precondition',
      'account-cannot-charge',
      'This coach’s Stripe account cannot take cards in its own name, which direct charges need. Set the terms before the coach is onboarded.',
    );
  }
}

/** The coach with an administrator's change. Throws Refusal. */
export function withTerms(coach: Coach, change: TermsChange, facts: TermsFacts, at: Coach['updatedAt']): Coach {
  const { hold: held, vatNumber: registered, ...kept } = coach;
  const { holdReason, cadence, vatNumber = registered } = change;
  const hold = holdReason === undefined ? held : holdReason === null ? undefined : { reason: holdReason, since: at };
  const terms = changedTerms(coach, change, facts);
  const invoiceDetails = detailsOf(coach, change);
  if (terms.invoicing && !(invoiceDetails && facts.platformKnown)) {
    throw new Refusal(
      'failed-precondition',
      'invoice-details-missing',
      'Invoices need names and addresses: give invoiceName and invoiceAddress of the coach, and see that PLATFORM_NAME and PLATFORM_ADDRESS are set.',
    );
  }
  return {
    ...kept,
    terms,
    payoutSettings: { ...coach.payoutSettings, ...(cadence ? { cadence } : {}) },
    acceptsPayments: mayBePaid(coach, terms.chargeModel),
    ...(vatNumber ? { vatNumber } : {}),
    ...(invoiceDetails ? { invoiceDetails } : {}),
    ...(hold ? { hold } : {}),
    updatedAt: at,
  };
}

function detailsOf({ invoiceDetails: known }: Coach, change: TermsChange): Coach['invoiceDetails'] {
  const { invoiceName: name = known?.name, invoiceAddress: address = known?.address } = change;
  return name !== undefined && address !== undefined ? { name, address } : known;
}

/** As `acceptsPayments` (account.ts), from what the coach's document keeps of the account. */
function mayBePaid(coach: Coach, chargeModel: ChargeModel): boolean {
  if (coach.accountStatus === 'rejected' || coach.accountStatus === 'deauthorized') return false;
  return chargeModel === 'direct' ? coach.chargesEnabled : (coach.takesTransfers ?? coach.acceptsPayments);
}

/** A sale on which terms are compared: 500 major units. */
const sampleSale = (currency: Currency): Minor => minor(500 * minorPerMajor(currency));

/**
 * How far a change moves the fee, in percentage points: of the percentage itself, or of what the whole fee is of a sale
 * of 500, whichever is more. So a fixed part does not get around the limit.
 */
export function pointsMoved(before: Terms, next: Terms, currency: Currency): number {
  const sale = sampleSale(currency);
  const share = (terms: Terms) => (split(sale, terms, currency).feeMinor / sale) * 100;
  return Math.max(Math.abs(next.feePercent - before.feePercent), Math.abs(share(next) - share(before)));
}

/** Above it a payout hardly ever comes. */
const highestMinimum = minor(1_000_000);

/** What a coach wants their payouts to be; what is left out stays. */
export interface SettingsChange {
  cadence?: Cadence | undefined;
  minimumMinor?: number | undefined;
}

/** Throws Refusal: below Stripe's own minimum no payout can be made, and a very high one would keep the money here for ever. */
export function changedSettings(settings: PayoutSettings, change: SettingsChange, currency: Currency): PayoutSettings {
  const { cadence = settings.cadence, minimumMinor = settings.minimumMinor } = change;
  if (minimumMinor < minimumPayout || minimumMinor > highestMinimum) {
    const low = minimumMinor < minimumPayout;
    throw new Refusal(
      'invalid-argument',
      low ? 'minimum-too-low' : 'minimum-too-high',
      low
        ? `Stripe makes no payout below ${formatMoney(minimumPayout, currency)}. Choose that or more.`
        : `The minimum can be at most ${formatMoney(highestMinimum, currency)}.`,
      { lowestMinor: minimumPayout, highestMinor: highestMinimum },
    );
  }
  return { cadence, minimumMinor: minor(minimumMinor) };
}
