import { createHash } from 'node:crypto';
import type { Config } from '../../config.ts';
import { businessDate } from '../../platform/clock.ts';
import { Refusal } from '../../platform/errors.ts';
import { minorPerMajor, zero, type Currency, type Minor } from '../../platform/money.ts';
import type { QuarterSums, ReportedSeller } from './dac7.ts';
import type { DpiAmount, DpiIdentity, DpiMessage, DpiOperator, DpiSeller } from './dpi-schema.ts';
import { isSwedishTin, type Identity } from './identity.ts';

/** Who reports. */
export interface Platform {
  name: string;
  businessName?: string;
  organisationNumber: string;
  vatNumber?: string;
  street: string;
  postalCode: string;
  city: string;
}

/** The platform by its params. Throws the Refusal that names the param without which it cannot report. */
export function platformOf(
  config: Pick<
    Config,
    'platformName' | 'platformAddress' | 'platformVatNumber' | 'platformOrganisationNumber' | 'platformBusinessName'
  >,
): Platform {
  const name = config.platformName.trim();
  if (name === '') throw unknown('PLATFORM_NAME', 'the company’s full name, with its legal form');
  const organisationNumber = config.platformOrganisationNumber;
  if (!isSwedishTin(organisationNumber))
    throw unknown('PLATFORM_ORGANISATION_NUMBER', 'the company’s organisation number, ten or twelve digits');
  const address = /^(.+?)[,\s]+(\d{3} ?\d{2})\s+(\D+)$/.exec(config.platformAddress.replace(/\s+/g, ' ').trim());
  const [, street, postalCode, city] = address ?? [];
  if (street === undefined || postalCode === undefined || city === undefined)
    throw unknown('PLATFORM_ADDRESS', 'the registered address, written as "Storgatan 1, 111 22 Stockholm"');
  const businessName = config.platformBusinessName.trim();
  const vatNumber = config.platformVatNumber.trim();
  return {
    ...{ name, organisationNumber, street, postalCode, city },
    ...(businessName === '' || businessName === name ? {} : { businessName }),
    ...(vatNumber === '' ? {} : { vatNumber }),
  };
}

const unknown = (param: string, what: string) =>
  new Refusal('failed-precondition', 'dac7-platform-unknown', `Set the param ${param} (${what}) and deploy.`, {
    param,
  });

export interface MessageOf {
  platform: Platform;
  year: number;
  at: Date;
  /** The platform was in a message of this year that was accepted: it is sent again under the same name. */
  operatorSent: boolean;
  /** Those whom nothing keeps out (`obstaclesOf`), and at least one of them. */
  sellers: readonly ReportedSeller[];
}

/** Until the year is over the message calls itself a test, and nothing in it is named as the real one names it. */
export const isTest = (year: number, at: Date): boolean => Number(businessDate(at).slice(0, 4)) <= year;

/**
 * The yearly message. Sellers and platform are named the same each time, so that what is sent twice is refused as known, not
 * counted twice; the message has a name of its own each time (country, year, country, then what makes it unique).
 */
export function messageOf({ platform, year, at, operatorSent, sellers }: MessageOf): DpiMessage {
  const test = isTest(year, at) ? '1' : '';
  const prefix = `SE${year}SE-${platform.organisationNumber}${test && `-test${at.getTime()}`}`;
  const reported = sellers.map((seller) => sellerOf(seller, prefix, `OECD${test}1`));
  const names = reported.map((seller) => seller['dpi:DocSpec']['stf:DocRefId']);
  const unique = `${at.getTime()}-${createHash('sha256').update(names.join('\n')).digest('hex').slice(0, 12)}`;
  return {
    '?xml': { '@version': '1.0', '@encoding': 'UTF-8' },
    'dpi:DPI_OECD': {
      'dpi:MessageSpec': {
        'dpi:SendingEntityIN': platform.organisationNumber,
        'dpi:TransmittingCountry': 'SE',
        'dpi:ReceivingCountry': 'SE',
        'dpi:MessageType': 'DPI',
        'dpi:MessageRefId': `${prefix}-${unique}`,
        'dpi:MessageTypeIndic': 'DPI401',
        'dpi:ReportingPeriod': `${year}-12-31`,
        // The schema's form has no zone. UTC is not in the future on any clock that reads it as Swedish.
        'dpi:Timestamp': at.toISOString().slice(0, -1),
      },
      'dpi:DPIBody': {
        'dpi:PlatformOperator': operatorOf(platform, prefix, `OECD${test}${operatorSent ? '0' : '1'}`),
        'dpi:ReportableSeller': reported,
      },
      '@xmlns:dpi': 'urn:oecd:ties:dpi:v1',
      '@xmlns:stf': 'urn:oecd:ties:dpistf:v1',
      '@version': '1.0',
    },
  };
}

type Indic = DpiSeller['dpi:DocSpec']['stf:DocTypeIndic'];

/** Resident for tax in Sweden, and reporting for itself. */
const operatorOf = (platform: Platform, prefix: string, indic: Indic): DpiOperator => ({
  'dpi:ResCountryCode': 'SE',
  'dpi:TIN': { '#text': platform.organisationNumber, '@issuedBy': 'SE' },
  ...(platform.vatNumber === undefined ? {} : { 'dpi:VAT': platform.vatNumber }),
  'dpi:Name': platform.name,
  ...(platform.businessName === undefined ? {} : { 'dpi:PlatformBusinessName': platform.businessName }),
  'dpi:Address': { ...addressOf({ ...platform, country: 'SE' }), '@legalAddressType': 'OECD304' },
  'dpi:Nexus': 'RPONEX1',
  'dpi:AssumedReporting': 'false',
  'dpi:DocSpec': { 'stf:DocTypeIndic': indic, 'stf:DocRefId': `${prefix}-platform` },
});

const addressOf = (at: Told<'country' | 'street' | 'postalCode' | 'city'>) => ({
  'dpi:CountryCode': at.country,
  'dpi:AddressFix': { 'dpi:Street': at.street, 'dpi:PostCode': at.postalCode, 'dpi:City': at.city },
});

const sellerOf = (seller: ReportedSeller, prefix: string, indic: Indic): DpiSeller => ({
  'dpi:Identity': identityOf(seller.identity),
  'dpi:RelevantActivities': { 'dpi:PersonalServices': servicesOf(seller) },
  'dpi:DocSpec': { 'stf:DocTypeIndic': indic, 'stf:DocRefId': `${prefix}-${seller.coachId}-${seller.currency}` },
});

type Told<K extends keyof Identity> = { [Key in K]: NonNullable<Identity[Key]> };

function told<K extends keyof Identity>(identity: Identity, ...keys: K[]): Told<K> {
  const nothing = keys.find((key) => identity[key] === null);
  if (nothing !== undefined) throw new Error(`A seller whose ${nothing} is not known is in no message.`);
  return identity as Told<K>;
}

function identityOf(identity: Identity): DpiIdentity {
  const { tin, tinCountry, country, ...address } = told(
    identity,
    ...(['tin', 'tinCountry', 'country', 'street', 'postalCode', 'city'] as const),
  );
  const number = { 'dpi:ResCountryCode': country, 'dpi:TIN': { '#text': tin, '@issuedBy': tinCountry } };
  const vat = identity.vatNumber === null ? {} : { 'dpi:VAT': identity.vatNumber };
  const lives = { 'dpi:Address': addressOf({ ...address, country }) };
  const account = identity.iban === null ? {} : { 'dpi:FinancialIdentifier': ibanOf(identity.iban) };
  if (identity.kind === 'individual') {
    const { firstName, lastName, birthDate } = told(identity, 'firstName', 'lastName', 'birthDate');
    const name = { 'dpi:Name': { 'dpi:FirstName': firstName, 'dpi:LastName': lastName } };
    const born = { 'dpi:BirthInfo': { 'dpi:BirthDate': birthDate } };
    const person = { ...number, ...vat, ...name, ...lives, ...born };
    return { 'dpi:IndividualSeller': { 'dpi:Standard': { 'dpi:IndSellerID': person, ...account } } };
  }
  const { name, registrationNumber } = told(identity, 'name', 'registrationNumber');
  const registered = { '#text': registrationNumber, '@issuedBy': tinCountry, '@INType': 'BRN' } as const;
  const company = { ...number, 'dpi:IN': registered, ...vat, 'dpi:Name': name, ...lives };
  return { 'dpi:EntitySeller': { 'dpi:Standard': { 'dpi:EntSellerID': company, ...account } } };
}

const ibanOf = (iban: string) => ({ 'dpi:Identifier': { '#text': iban, '@AccountNumberType': 'IBAN' } }) as const;

function servicesOf({ quarters, currency }: Pick<ReportedSeller, 'quarters' | 'currency'>) {
  const each = <T>(what: (sums: QuarterSums) => T): [T, T, T, T] => {
    const [first, second, third, fourth] = quarters;
    if (!first || !second || !third || !fourth) throw new Error('A year has four quarters.');
    return [what(first), what(second), what(third), what(fourth)];
  };
  const [cons1, cons2, cons3, cons4] = each(({ considerationMinor }) => wholeUnits(considerationMinor, currency));
  const [numb1, numb2, numb3, numb4] = each(({ activities }) => String(activities));
  const [fees1, fees2, fees3, fees4] = each(({ feesMinor }) => wholeUnits(feesMinor, currency));
  // The platform withholds no tax of its sellers'.
  const none = wholeUnits(zero, currency);
  return {
    'dpi:Consideration': { 'dpi:ConsQ1': cons1, 'dpi:ConsQ2': cons2, 'dpi:ConsQ3': cons3, 'dpi:ConsQ4': cons4 },
    'dpi:NumberOfActivities': { 'dpi:NumbQ1': numb1, 'dpi:NumbQ2': numb2, 'dpi:NumbQ3': numb3, 'dpi:NumbQ4': numb4 },
    'dpi:Fees': { 'dpi:FeesQ1': fees1, 'dpi:FeesQ2': fees2, 'dpi:FeesQ3': fees3, 'dpi:FeesQ4': fees4 },
    'dpi:Taxes': { 'dpi:TaxQ1': none, 'dpi:TaxQ2': none, 'dpi:TaxQ3': none, 'dpi:TaxQ4': none },
  };
}

/**
 * Whole units of the currency, rounded down, each quarter for itself: control statements leave out the öre (22 kap. 2 §
 * Skatteförfarandeförordningen). The four together are so at most three units below the year.
 */
const wholeUnits = (amount: Minor, currency: Currency): DpiAmount => ({
  '#text': String(Math.floor(amount / minorPerMajor(currency))),
  '@currCode': currency,
});
