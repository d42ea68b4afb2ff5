import fc from 'fast-check';
import { requirementTexts } from './requirements.ts';

describe('what Stripe still asks for', () => {
  it.each([
    ['external_account', 'Lägg till kontot som utbetalningarna ska gå till.', 'Add the account that payouts go to.'],
    ['tos_acceptance.ip', 'Godkänn Stripes villkor.', 'Accept Stripe’s terms.'],
    ['individual.dob.day', 'Ange ditt födelsedatum.', 'Give your date of birth.'],
    ['person_1Nv0FGQ9RKHgCVdK.verification.document', 'Ladda upp en bild av pass, körkort eller id-kort.', /ID card/],
    ['company.tax_id', 'Ange företagets organisationsnummer.', /registration number/],
    ['owners.first_name', 'Fyll i uppgifterna om företagets ägare och ledning.', /owners/],
    ['business_profile.url', 'Beskriv vad du erbjuder, eller ange din webbplats.', /website/],
    ['individual.something_new', /\(individual\.something_new\)/, /\(individual\.something_new\)/],
  ])('%s', (code, sv, en) => {
    const { sv: swedish, en: english } = requirementTexts([code]);
    expect(swedish).toEqual([typeof sv === 'string' ? sv : expect.stringMatching(sv)]);
    expect(english).toEqual([typeof en === 'string' ? en : expect.stringMatching(en)]);
  });

  it('says once what several codes ask for', () => {
    expect(requirementTexts(['individual.dob.day', 'individual.dob.month', 'individual.dob.year']).sv).toHaveLength(1);
  });

  it('has a sentence in both languages for whatever Stripe may ask', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 })), (codes) => {
        const { sv, en } = requirementTexts(codes);
        expect(sv.length).toBe(en.length);
        expect(sv.length > 0).toBe(codes.length > 0);
        expect([...sv, ...en].every((sentence) => sentence.endsWith('.'))).toBe(true);
      }),
    );
  });
});
