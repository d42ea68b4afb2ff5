import type { Timestamp } from 'firebase-admin/firestore';
import type { Coach } from '../../coaches/coaches.ts';
import { Refusal } from '../../platform/errors.ts';
import { countryCodes, xmlText } from './codes.ts';

/**
 * What a coach tells of themself for the tax authority: what a control statement names a seller by (5 kap. 12 e §
 * Skatteförfarandeförordningen and 24 kap. 4 § Skatteförfarandelagen, of directive (EU) 2021/514, annex V).
 */
export interface ToldIdentity {
  kind: 'individual' | 'company';
  /** A person's. */
  firstName?: string | undefined;
  lastName?: string | undefined;
  /** A company's legal one, with its form. */
  name?: string | undefined;
  street: string;
  postalCode: string;
  city: string;
  /** ISO 3166, "SE". */
  country: string;
  /** Tax number: in Sweden the personal, coordination or organisation number. */
  tin: string;
  /** Who issued it. */
  tinCountry: string;
  /** Of a company, where its tax number is not Swedish: in Sweden it is the same number. */
  registrationNumber?: string | undefined;
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
  /** In one, the person's or the company's. */
  name: string | null;
  firstName: string | null;
  lastName: string | null;
  street: string | null;
  postalCode: string | null;
  city: string | null;
  country: string | null;
  tin: string | null;
  tinCountry: string | null;
  registrationNumber: string | null;
  birthDate: string | null;
  /** null: not registered. */
  vatNumber: string | null;
  iban: string | null;
}

export type MissingIdentity = 'name' | 'address' | 'tin' | 'registrationNumber' | 'birthDate' | 'iban';

const unknown: Identity = {
  kind: null,
  name: null,
  firstName: null,
  lastName: null,
  street: null,
  postalCode: null,
  city: null,
  country: null,
  tin: null,
  tinCountry: null,
  registrationNumber: null,
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
  const { kind, street, postalCode, city, tin, tinCountry, firstName = null, lastName = null } = told;
  const { birthDate = null, iban = null } = told;
  const person = [firstName, lastName].filter((part) => part !== null).join(' ') || null;
  const swedish = kind === 'company' && tinCountry === 'SE' ? tin : null;
  return {
    ...{ kind, street, postalCode, city, country: told.country, tin, tinCountry, vatNumber, firstName, lastName },
    ...{ name: told.name ?? person, registrationNumber: told.registrationNumber ?? swedish, birthDate, iban },
  };
}

export function missingOf(identity: Identity): MissingIdentity[] {
  const { kind, name, firstName, lastName, street, tin, registrationNumber, birthDate, iban } = identity;
  const halfName = kind === 'individual' && (firstName === null || lastName === null);
  const wanted: [MissingIdentity, boolean][] = [
    ['name', name === null || halfName],
    ['address', street === null],
    ['tin', tin === null],
    ['registrationNumber', registrationNumber === null && kind === 'company'],
    ['birthDate', birthDate === null && kind !== 'company'],
    ['iban', iban === null],
  ];
  return wanted.flatMap(([what, missing]) => (missing ? [what] : []));
}

/** As it is kept: numbers without blanks. Throws the Refusal of what cannot be right. */
export function checkedIdentity(told: ToldIdentity, today: string): ToldIdentity {
  const { kind, birthDate, tinCountry } = told;
  for (const [field, text] of Object.entries<string | undefined>({ ...told })) {
    if (text !== undefined && !xmlText.test(text)) throw refused(field, 'It holds a character that no report can.');
  }
  for (const field of ['country', 'tinCountry'] as const) {
    if (!countryCodes.includes(told[field])) throw refused(field, 'This is no country. Sweden is SE.');
  }
  const tin = told.tin.replace(/[\s-]/g, '').toUpperCase();
  const iban = told.iban?.replace(/\s/g, '').toUpperCase();
  if (tin.length < 2) throw refused('tin', 'A tax number has more than that.');
  if (tinCountry === 'SE' && !isSwedishTin(tin)) {
    throw refused('tin', 'This is no Swedish personal, coordination or organisation number.');
  }
  if (iban !== undefined && !isIban(iban)) throw refused('iban', 'This is no IBAN. Take it from your bank.');
  if (birthDate !== undefined && birthDate >= today) throw refused('birthDate', 'This day of birth is yet to come.');
  const { street, postalCode, city, country } = told;
  return {
    ...{ kind, street, postalCode, city, country, tin, tinCountry },
    ...(kind === 'individual' ? personOf(told) : companyOf(told)),
    ...(iban === undefined ? {} : { iban }),
  };
}

function personOf({ firstName, lastName, birthDate }: ToldIdentity) {
  if (firstName === undefined) throw refused('firstName', 'A person has a first name.');
  if (lastName === undefined) throw refused('lastName', 'A person has a last name.');
  if (birthDate === undefined) throw refused('birthDate', 'A person has a day of birth.');
  return { firstName, lastName, birthDate };
}

function companyOf({ name, tinCountry, registrationNumber }: ToldIdentity) {
  if (name === undefined) throw refused('name', 'A company has a name.');
  if (tinCountry === 'SE') return { name };
  if (registrationNumber === undefined)
    throw refused('registrationNumber', 'A company that is not Swedish has a registration number of its own.');
  return { name, registrationNumber };
}

const refused = (field: string, message: string) =>
  new Refusal('invalid-argument', 'identity-wrong', message, { field });

/** Ten digits, the century before them or not, the last a check digit (Luhn; Skatteverket, SKV 704, SKV 707). */
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
