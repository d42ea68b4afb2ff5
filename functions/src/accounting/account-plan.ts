/** How the books see the platform (docs/accounting.md says when to choose which). */
export const profiles = ['specification', 'agent', 'principal'] as const;
export type Profile = (typeof profiles)[number];

/** A Fortnox account, 1000 to 9999. */
export type FortnoxAccountNumber = number;

/** What an account is for; which number it has is configuration. */
export type AccountName =
  /** Money in Stripe, ours or a coach's, until it reaches a bank. 1686 in charts from 2026, 1580 in older ones. */
  | 'clearing'
  /** What coaches owe after refunds and disputes, and what a dispute holds. */
  | 'receivables'
  /** Paid by customers for sessions to come. */
  | 'advances'
  /** Owed to coaches and customers, and a tenant's own money in Stripe. */
  | 'liabilities'
  | 'bank'
  | 'losses'
  | 'stripeFees'
  | 'sales25'
  | 'sales12'
  | 'sales6'
  | 'sales0'
  | 'feeRevenue'
  | 'payouts'
  | 'vat25'
  | 'vat12'
  | 'vat6'
  /** What coaches sell the platform, and the VAT in it. */
  | 'purchases'
  | 'inputVat'
  /** The two sides of VAT that the buyer of a foreign service works out. */
  | 'reverseVatDue'
  | 'reverseVatBack';

const everywhere = { receivables: 1689, advances: 2420, liabilities: 2899, bank: 1930, losses: 6380, sales25: 3001 };
const withVat = {
  ...everywhere,
  stripeFees: 4535,
  sales12: 3002,
  sales6: 3003,
  sales0: 3004,
  vat25: 2611,
  vat12: 2621,
  vat6: 2631,
  reverseVatDue: 2614,
  reverseVatBack: 2645,
};

/** Each profile's accounts but for the clearing account, as BAS 2026 numbers them. */
const defaults: Record<Profile, Partial<Record<AccountName, FortnoxAccountNumber>>> = {
  specification: { ...everywhere, stripeFees: 6570, feeRevenue: 3921, payouts: 5090 },
  agent: withVat,
  principal: { ...withVat, purchases: 4610, inputVat: 2641 },
};

/** Whether the VAT on Stripe's fees, which Stripe does not charge, is worked out by us (reverse charge). */
export type StripeFeeVat = 'exempt' | 'reverse_charge';

export interface AccountPlan {
  profile: Profile;
  stripeFeeVat: StripeFeeVat;
  clearing: FortnoxAccountNumber;
  /** The profile's accounts, `clearing` among them. */
  accounts: Readonly<Partial<Record<AccountName, FortnoxAccountNumber>>>;
}

export interface PlanSettings {
  profile: Profile;
  clearing: FortnoxAccountNumber;
  stripeFeeVat?: StripeFeeVat;
  /** Other numbers than BAS's: `{stripeFees: 6570}`. */
  numbers?: Readonly<Record<string, FortnoxAccountNumber>>;
}

/**
 * Which accounts of the company's chart a profile posts to. Throws on a number for what the profile does not know, and when
 * the clearing account is one of the others: its balance could then never be compared with Stripe's.
 */
export function accountPlan({ profile, clearing, stripeFeeVat = 'exempt', numbers = {} }: PlanSettings): AccountPlan {
  const known = defaults[profile];
  const unknown = Object.keys(numbers).find((name) => !(name in known));
  if (unknown !== undefined) {
    throw new Error(
      `ACCOUNT_NUMBERS names "${unknown}". The profile "${profile}" has ${Object.keys(known).join(', ')}; the clearing account is CLEARING_ACCOUNT.`,
    );
  }
  const others = { ...known, ...numbers };
  if (Object.values(others).includes(clearing)) {
    throw new Error(
      `CLEARING_ACCOUNT ${clearing} is used for something else by the profile "${profile}". Choose an account that nothing else posts to, such as 1686.`,
    );
  }
  return { profile, stripeFeeVat, clearing, accounts: { clearing, ...others } };
}

/** Every account of a plan once: what a financial year must have before the first post. */
export function accountsOf({ accounts, stripeFeeVat }: AccountPlan): FortnoxAccountNumber[] {
  const { reverseVatDue: _due, reverseVatBack: _back, ...rest } = accounts;
  const used = stripeFeeVat === 'reverse_charge' ? accounts : rest;
  return [...new Set(Object.values(used))].sort((a, b) => a - b);
}
