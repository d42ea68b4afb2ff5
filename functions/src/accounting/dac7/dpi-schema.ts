import { z } from 'zod';
import { countryCodes, currencyCodes, xmlText } from './codes.ts';
import { isSwedishTin } from './identity.ts';

/**
 * The part of the OECD's schema for digital platforms (DPI XML schema 1.0, `urn:oecd:ties:dpi:v1`) that a Swedish platform
 * for personal services writes, in our own words: which elements, in which order (that of the keys), what each may hold. A
 * file is built of a message of this shape and read back into it. Everything is text, as XML has it.
 */
const text = (longest: number) => z.string().min(1).max(longest).regex(xmlText, 'holds what XML cannot');
const name = text(200);
const country = z.enum(countryCodes);
/** Whole units of the currency. The schema would take a negative one; we give none out (`obstaclesOf`). */
const whole = z.string().regex(/^(0|[1-9]\d*)$/, 'must be a whole number');
const amount = z.strictObject({ '#text': whole, '@currCode': z.enum(currencyCodes) });

const tin = z
  .strictObject({ '#text': name, '@issuedBy': country })
  .refine((given) => given['@issuedBy'] !== 'SE' || isSwedishTin(given['#text']), 'is no Swedish number');

const address = {
  'dpi:CountryCode': country,
  'dpi:AddressFix': z.strictObject({ 'dpi:Street': name, 'dpi:PostCode': name, 'dpi:City': name }),
};

const docSpec = z.strictObject({
  'stf:DocTypeIndic': z.enum(['OECD0', 'OECD1', 'OECD10', 'OECD11']),
  'stf:DocRefId': name,
});

const messageSpec = z.strictObject({
  'dpi:SendingEntityIN': name,
  'dpi:TransmittingCountry': z.literal('SE'),
  'dpi:ReceivingCountry': z.literal('SE'),
  'dpi:MessageType': z.literal('DPI'),
  'dpi:MessageRefId': text(170),
  'dpi:MessageTypeIndic': z.literal('DPI401'),
  'dpi:ReportingPeriod': z.iso.date(),
  'dpi:Timestamp': z.iso.datetime({ local: true, precision: 3 }),
});

const platformOperator = z.strictObject({
  'dpi:ResCountryCode': z.literal('SE'),
  'dpi:TIN': tin,
  'dpi:VAT': name.optional(),
  'dpi:Name': name,
  'dpi:PlatformBusinessName': name.optional(),
  'dpi:Address': z.strictObject({ ...address, '@legalAddressType': z.literal('OECD304') }),
  'dpi:Nexus': z.literal('RPONEX1'),
  'dpi:AssumedReporting': z.literal('false'),
  'dpi:DocSpec': docSpec,
});

const financialIdentifier = z.strictObject({
  'dpi:Identifier': z.strictObject({ '#text': name, '@AccountNumberType': z.literal('IBAN') }),
});

const individual = z.strictObject({
  'dpi:IndSellerID': z.strictObject({
    'dpi:ResCountryCode': country,
    'dpi:TIN': tin,
    'dpi:VAT': name.optional(),
    'dpi:Name': z.strictObject({ 'dpi:FirstName': name, 'dpi:LastName': name }),
    'dpi:Address': z.strictObject(address),
    'dpi:BirthInfo': z.strictObject({ 'dpi:BirthDate': z.iso.date() }),
  }),
  'dpi:FinancialIdentifier': financialIdentifier.optional(),
});

const entity = z.strictObject({
  'dpi:EntSellerID': z.strictObject({
    'dpi:ResCountryCode': country,
    'dpi:TIN': tin,
    'dpi:IN': z.strictObject({ '#text': name, '@issuedBy': country, '@INType': z.literal('BRN') }),
    'dpi:VAT': name.optional(),
    'dpi:Name': name,
    'dpi:Address': z.strictObject(address),
  }),
  'dpi:FinancialIdentifier': financialIdentifier.optional(),
});

const identity = z.union([
  z.strictObject({ 'dpi:IndividualSeller': z.strictObject({ 'dpi:Standard': individual }) }),
  z.strictObject({ 'dpi:EntitySeller': z.strictObject({ 'dpi:Standard': entity }) }),
]);

const personalServices = z.strictObject({
  'dpi:Consideration': z.strictObject({
    'dpi:ConsQ1': amount,
    'dpi:ConsQ2': amount,
    'dpi:ConsQ3': amount,
    'dpi:ConsQ4': amount,
  }),
  'dpi:NumberOfActivities': z.strictObject({
    'dpi:NumbQ1': whole,
    'dpi:NumbQ2': whole,
    'dpi:NumbQ3': whole,
    'dpi:NumbQ4': whole,
  }),
  'dpi:Fees': z.strictObject({
    'dpi:FeesQ1': amount,
    'dpi:FeesQ2': amount,
    'dpi:FeesQ3': amount,
    'dpi:FeesQ4': amount,
  }),
  'dpi:Taxes': z.strictObject({
    'dpi:TaxQ1': amount,
    'dpi:TaxQ2': amount,
    'dpi:TaxQ3': amount,
    'dpi:TaxQ4': amount,
  }),
});

const reportableSeller = z.strictObject({
  'dpi:Identity': identity,
  'dpi:RelevantActivities': z.strictObject({ 'dpi:PersonalServices': personalServices }),
  'dpi:DocSpec': docSpec,
});

export const dpiSchema = z.strictObject({
  '?xml': z.strictObject({ '@version': z.literal('1.0'), '@encoding': z.literal('UTF-8') }),
  'dpi:DPI_OECD': z.strictObject({
    'dpi:MessageSpec': messageSpec,
    'dpi:DPIBody': z.strictObject({
      'dpi:PlatformOperator': platformOperator,
      'dpi:ReportableSeller': z.array(reportableSeller).min(1),
    }),
    '@xmlns:dpi': z.literal('urn:oecd:ties:dpi:v1'),
    '@xmlns:stf': z.literal('urn:oecd:ties:dpistf:v1'),
    '@version': z.literal('1.0'),
  }),
});

export type DpiMessage = z.infer<typeof dpiSchema>;
export type DpiOperator = z.infer<typeof platformOperator>;
export type DpiSeller = z.infer<typeof reportableSeller>;
export type DpiIdentity = z.infer<typeof identity>;
export type DpiAmount = z.infer<typeof amount>;
