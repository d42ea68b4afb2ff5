import type { Timestamp } from 'firebase-admin/firestore';
import type { Coach } from '../../coaches/coaches.ts';
import { Refusal } from '../../platform/errors.ts';

/** What a coach tells of themself for the tax authority (directive (EU) 2021/514, annex V, section II B). */
export interface ToldIdentity {
  kind: 'individual' | 'company';
  /** The person's, or the company's legal one. */
  name: string;
  street: string;
  postalCode: string;
  city: string;
  /** ISO 3166, "SE". */
  country: string;
  /** Tax number: in Sweden the personal, coordination or organisation number. */
  tin: string;
  /** Who issued it. */
  tinCountry: string;
  /** Of a person. */
  birthDate?: string | undefined;
  /** The account that payouts go to, where the coach tells it: Stripe shows us its last four digits only. */
  iban?: string | undefined;
}

/** `sellerIdentities/{coachId}`. Stripe asks coaches for the same and does not show it to the platform. */
export type SellerIdentity = ToldIdentity & { createdAt: Timestamp; updatedAt: Timestamp };

/** What the report says of a coach; null: not known. */
export interface Identity {
  kind: ToldIdentity['kind'] | null;
  name: string | null;
  street: string | null;
  postalCode: string | null;
  city: string | null;
  country: string | null;
  tin: string | null;
  tinCountry: string | null;
  birthDate: string | null;
  /** null: not registered. */
  vatNumber: string | null;
  iban: string | null;
}

export type MissingIdentity = 'name' | 'address' | 'tin' | 'birthDate' | 'iban';

const unknown: Identity = {
  kind: null,
  name: null,
  street: null,
  postalCode: null,
  city: null,
  country: null,
  tin: null,
  tinCountry: null,
  birthDate: null,
  vatNumber: null,
  iban: null,
};

/** What is known: what the coach has told, else who they are on invoices. A VAT number is theirs or they are not registered. */
export function identityOf(coach: Coach, told: SellerIdentity | undefined): Identity {
  const { invoiceDetails, vatNumber = null, country } = coach;
  if (!told) {
    const { name = null, address = null } = invoiceDetails ?? {};
    return { ...unknown, name, street: address, country, vatNumber };
  }
  const { createdAt: _created, updatedAt: _updated, birthDate = null, iban = null, ...rest } = told;
  return { ...rest, birthDate, iban, vatNumber };
}

export function missingOf({ kind, name, street, tin, birthDate, iban }: Identity): MissingIdentity[] {
  const wanted: [MissingIdentity, boolean][] = [
    ['name', name === null],
    ['address', street === null],
    ['tin', tin === null],
    ['birthDate', birthDate === null && kind !== 'company'],
    ['iban', iban === null],
  ];
  return wanted.flatMap(([what, missing]) => (missing ? [what] : []));
}

/** As it is kept: numbers without blanks. Throws the Refusal of what cannot be right. */
export function checkedIdentity(told: ToldIdentity, today: string): ToldIdentity {
  const { kind, birthDate, tinCountry } = told;
  const tin = told.tin.replace(/[\s-]/g, '').toUpperCase();
  const iban = told.iban?.replace(/\s/g, '').toUpperCase();
  if (tinCountry === 'SE' && !isSwedishTin(tin)) {
    throw refused('tin', 'This is no Swedish personal, coordination or organisation number.');
  }
  if (iban !== undefined && !isIban(iban)) throw refused('iban', 'This is no IBAN. Take it from your bank.');
  if (kind === 'individual' && birthDate === undefined) throw refused('birthDate', 'A person has a day of birth.');
  if (birthDate !== undefined && birthDate >= today) throw refused('birthDate', 'This day of birth is yet to come.');
  const { iban: _iban, birthDate: _birth, ...rest } = told;
  return {
    ...rest,
    tin,
    ...(kind === 'individual' ? { birthDate } : {}),
    ...(iban === undefined ? {} : { iban }),
  };
}

const refused = (field: string, message: string) =>
  new Refusal('invalid-argument', 'identity-wrong', message, { field });

/** Ten digits, the century before them or not, the last a check digit (Luhn; Skatteverket, SKV 704). */
export function isSwedishTin(tin: string): boolean {
  if (!/^(\d{2})?\d{10}$/.test(tin)) return false;
  const digits = [...tin.slice(-10)].map(Number);
  const total = digits.reduce(
    (sum, digit, n) => sum + (n % 2 === 0 ? Math.floor((digit * 2) / 10) + ((digit * 2) % 10) : digit),
    0,
  );
  return total % 10 === 0;
}

/** ISO 13616: the remainder of 97 is 1. */
export function isIban(iban: string): boolean {
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(iban)) return false;
  const moved = iban.slice(4) + iban.slice(0, 4);
  const digits = [...moved].map((character) => String(parseInt(character, 36))).join('');
  return BigInt(digits) % 97n === 1n;
}
