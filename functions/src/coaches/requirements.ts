/** What Stripe's requirement codes mean, in words a coach understands. Codes: Stripe API reference, `requirements.currently_due`. */
export type Language = 'sv' | 'en';

/** One sentence each, in the order of the codes; several codes that ask for one thing give one sentence. */
export type RequirementTexts = Record<Language, string[]>;

type Sentence = readonly [sv: string, en: string];

/** Who is asked about: the coach, their company, or another person in it. */
const self = /^(individual|representative|person_[A-Za-z0-9]+)\./;
const others = /^(owners|directors|executives)(\.|$)/;

/** The first that fits. Of the coach and of any other person the same is asked. */
const sentences: readonly (readonly [RegExp, Sentence])[] = [
  [/^external_account/, ['Lägg till kontot som utbetalningarna ska gå till.', 'Add the account that payouts go to.']],
  [/^tos_acceptance/, ['Godkänn Stripes villkor.', 'Accept Stripe’s terms.']],
  [
    /^business_type/,
    [
      'Välj om du arbetar som privatperson, enskild firma eller bolag.',
      'Say whether you work as a private person, a sole trader or a company.',
    ],
  ],
  [/^business_profile\.mcc/, ['Välj din bransch.', 'Choose your line of business.']],
  [
    /^business_profile\.(url|product_description)/,
    ['Beskriv vad du erbjuder, eller ange din webbplats.', 'Describe what you offer, or give your website.'],
  ],
  [/^business_profile/, ['Fyll i uppgifterna om din verksamhet.', 'Fill in the details of your business.']],
  [/^company\.address/, ['Fyll i företagets adress.', 'Fill in the company’s address.']],
  [/^company\.phone/, ['Ange företagets telefonnummer.', 'Give the company’s phone number.']],
  [/^company\.(name|structure)/, ['Ange företagets namn och form.', 'Give the company’s name and form.']],
  [
    /^company\.(tax_id|vat_id|registration_number|id_number)/,
    ['Ange företagets organisationsnummer.', 'Give the company’s registration number.'],
  ],
  [
    /^company\.(owners|directors|executives|ownership)/,
    ['Ange vilka som äger och leder företaget.', 'Say who owns and leads the company.'],
  ],
  [
    /^(company\.verification|documents\.)/,
    ['Ladda upp en handling som styrker företagets uppgifter.', 'Upload a document that proves the company’s details.'],
  ],
  [/^company/, ['Fyll i uppgifterna om företaget.', 'Fill in the company’s details.']],
  [/^settings/, ['Fyll i hur du ska synas på kontoutdrag.', 'Fill in how you appear on bank statements.']],
  [/^interv_/, ['Svara på en fråga från Stripe.', 'Answer a question from Stripe.']],
];

const personal: readonly (readonly [RegExp, Sentence])[] = [
  [/^(first_name|last_name|full_name|maiden)/, ['Ange ditt för- och efternamn.', 'Give your first and last name.']],
  [/^dob/, ['Ange ditt födelsedatum.', 'Give your date of birth.']],
  [/^(registered_)?address/, ['Fyll i din adress.', 'Fill in your address.']],
  [/^email/, ['Ange din e-postadress.', 'Give your e-mail address.']],
  [/^phone/, ['Ange ditt telefonnummer.', 'Give your phone number.']],
  [/^(id_number|ssn)/, ['Ange ditt personnummer.', 'Give your personal identity number.']],
  [/^nationalit/, ['Ange ditt medborgarskap.', 'Give your nationality.']],
  [
    /^political_exposure/,
    ['Ange om du har en politiskt utsatt ställning.', 'Say whether you are politically exposed.'],
  ],
  [/^relationship/, ['Ange din roll i företaget.', 'Give your role in the company.']],
  [
    /^verification\.proof_of_liveness/,
    ['Ta en bild av dig själv för att visa vem du är.', 'Take a picture of yourself to show who you are.'],
  ],
  [
    /^verification\.additional_document/,
    ['Ladda upp en handling som visar din adress.', 'Upload a proof of your address.'],
  ],
  [
    /^verification/,
    [
      'Ladda upp en bild av pass, körkort eller id-kort.',
      'Upload a picture of your passport, driving licence or ID card.',
    ],
  ],
];

const ofOthers: Sentence = [
  'Fyll i uppgifterna om företagets ägare och ledning.',
  'Fill in the details of the company’s owners and leaders.',
];

/** A code that Stripe has made since: named, so that support can look it up, and told where it is answered. */
const unknown = (code: string): Sentence => [
  `Stripe vill veta något mer (${code}). På Stripes sidor ser du vad.`,
  `Stripe asks for something more (${code}). Its pages show you what.`,
];

function sentenceOf(code: string): Sentence {
  if (others.test(code)) return ofOthers;
  const [text, table] = self.test(code) ? [code.replace(self, ''), personal] : [code, sentences];
  return table.find(([pattern]) => pattern.test(text))?.[1] ?? unknown(code);
}

export function requirementTexts(codes: readonly string[]): RequirementTexts {
  const found = codes.map(sentenceOf);
  return { sv: [...new Set(found.map(([sv]) => sv))], en: [...new Set(found.map(([, en]) => en))] };
}
