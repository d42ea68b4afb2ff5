import type { FlagInput } from '../../admin/flags.ts';

export const failedKind = 'receipt';

export const receiptFailed = (ledgerId: string, message: string): FlagInput => ({
  id: `${failedKind}_${ledgerId}`,
  kind: failedKind,
  severity: 'warning',
  subject: `ledger/${ledgerId}`,
  message: `The receipt or credit note of this cannot be made: ${message}`.slice(0, 800),
  action: 'Mend what it names; it is tried again every five minutes, and its number is not given until it is there.',
});

export const sellerKind = 'receipt-seller';

/** `coachId` undefined: the platform. */
export const sellerFlagId = (coachId: string | undefined): string => `${sellerKind}_${coachId ?? 'platform'}`;

export const sellerUnknown = (coachId: string | undefined, waiting: number): FlagInput => ({
  id: sellerFlagId(coachId),
  kind: sellerKind,
  severity: 'warning',
  subject: coachId === undefined ? 'the configuration' : `coaches/${coachId}`,
  message: `${waiting} receipts and credit notes wait: a receipt names its seller, and the seller's name and address are not known.`,
  action:
    coachId === undefined
      ? 'Set the params PLATFORM_NAME and PLATFORM_ADDRESS (and PLATFORM_VAT_NUMBER) and deploy. What waits is then made by itself.'
      : 'Give invoiceName and invoiceAddress of the coach by setCoachTerms. What waits is then made by itself.',
});
