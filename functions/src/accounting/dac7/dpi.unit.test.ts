import fc from 'fast-check';
import { newCoach } from '../../coaches/coaches.ts';
import { minor } from '../../platform/money.ts';
import { testConfig } from '../../testing/world.ts';
import { Timestamp } from 'firebase-admin/firestore';
import { setSellerIdentitySpec } from './dac7.api.ts';
import { obstaclesOf, quarters, yearOf, type QuarterSums, type ReportedSeller } from './dac7.ts';
import { dpiFile, problemOf } from './dpi-file.ts';
import { messageOf, platformOf, type MessageOf } from './dpi.ts';
import { checkedIdentity, identityOf, missingOf, type ToldIdentity } from './identity.ts';

const at = new Date('2027-01-15T08:00:00.123Z');
const today = '2027-01-15';
const platform = platformOf(testConfig);
const on = Timestamp.fromDate(at);
const place = { street: 'Gatan 1', postalCode: '111 22', city: 'Örebro', country: 'SE' };
const person: ToldIdentity = {
  ...{ kind: 'individual', firstName: 'Åsa', lastName: 'Öberg & <Söner>', ...place },
  ...{ tin: '198112189876', tinCountry: 'SE', birthDate: '1981-12-18', iban: 'SE3550000000054910000003' },
};
const company: ToldIdentity = {
  ...{ kind: 'company', name: 'Acme "GmbH"', street: 'Weg 2', postalCode: '10115', city: 'Berlin', country: 'DE' },
  ...{ tin: '12/345', tinCountry: 'DE', registrationNumber: 'HRB 1' },
};

const quarter = (of: 1 | 2 | 3 | 4, consideration: number, fees: number, activities: number): QuarterSums => ({
  ...{ quarter: of, considerationMinor: minor(consideration), feesMinor: minor(fees), activities },
  takenOffMinor: minor(0),
});

const year = [quarter(1, 40_099, 9_950, 1), quarter(2, 0, 0, 0), quarter(3, 100, 1, 2), quarter(4, 99, 0, 1)];

function sellerOf(told: ToldIdentity, sums = year, more: Partial<ReportedSeller> = {}): ReportedSeller {
  const coach = { ...newCoach(testConfig, on), vatNumber: 'SE556677889901' };
  const identity = identityOf(coach, { ...checkedIdentity(told, today), createdAt: on, updatedAt: on });
  const missing = missingOf(identity);
  return {
    ...{
      coachId: 'karin',
      stripeAccountId: null,
      currency: 'SEK',
      quarters: sums,
      year: yearOf(sums),
      identity,
      missing,
    },
    obstacles: obstaclesOf({ missing, sellsGoods: false, quarters: sums }),
    ...more,
  };
}

const of = (sellers: readonly ReportedSeller[], more: Partial<MessageOf> = {}): MessageOf => ({
  ...{ platform, year: 2026, at, operatorSent: false, sellers },
  ...more,
});

describe('the file', () => {
  it('is the OECD’s message: the platform, then each seller with four quarters in whole units, rounded down', () => {
    const xml = dpiFile(of([sellerOf(person), sellerOf({ ...company, tin: '12345' }, year, { coachId: 'acme' })]));
    expect(xml).toMatchSnapshot();
  });

  it('has names of its own for every message, and the same ones for the same seller', () => {
    const one = dpiFile(of([sellerOf(person)]));
    const later = dpiFile(of([sellerOf(person)], { at: new Date(at.getTime() + 1) }));
    const other = dpiFile(of([sellerOf(person, year, { coachId: 'olle' })]));
    const names = (xml: string, element: string) =>
      [...xml.matchAll(new RegExp(`<${element}>(.*?)</`, 'g'))].map(([, found]) => found);
    expect(new Set([one, later, other].flatMap((xml) => names(xml, 'dpi:MessageRefId'))).size).toBe(3);
    expect(names(one, 'dpi:MessageRefId')[0]).toMatch(/^SE2026SE-5566778899-/);
    expect(names(later, 'stf:DocRefId')).toEqual(names(one, 'stf:DocRefId'));
    expect(names(one, 'stf:DocRefId')).toEqual(['SE2026SE-5566778899-platform', 'SE2026SE-5566778899-karin-SEK']);
  });

  it('names the platform as sent again in later files, and calls itself a test until the year is over in Stockholm', () => {
    const indics = (more: Partial<MessageOf>) =>
      [...dpiFile(of([sellerOf(person)], more)).matchAll(/DocTypeIndic>(.*?)</g)].map(([, found]) => found);
    expect(indics({})).toEqual(['OECD1', 'OECD1']);
    expect(indics({ operatorSent: true })).toEqual(['OECD0', 'OECD1']);
    expect(indics({ at: new Date('2026-12-31T22:59:59Z') })).toEqual(['OECD11', 'OECD11']);
    expect(indics({ at: new Date('2026-12-31T23:00:00Z') })).toEqual(['OECD1', 'OECD1']);
    const early = { at: new Date('2026-06-01T00:00:00Z'), operatorSent: true };
    expect(indics(early)).toEqual(['OECD10', 'OECD11']);
    expect(dpiFile(of([sellerOf(person)], early))).not.toContain('SE2026SE-5566778899-karin');
  });

  const words = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
    fc.constantFrom(
      'Åsa',
      '&amp;',
      '<!--',
      ']]>',
      '<![CDATA[',
      '"\'',
      '&#0;',
      '#text',
      '__proto__',
      '𝔸'.repeat(50),
      'x'.repeat(200),
    ),
  );
  const country = fc.constantFrom('SE', 'DE', 'US', 'XK', 'ZZ', 'UK');
  const swedish = fc.stringMatching(/^(19|20)?\d{9}$/).map((digits) => {
    const last = '0123456789'.split('').find((digit) => checks(`${digits}${digit}`));
    return `${digits}${last ?? ''}`;
  });
  const checks = (tin: string): boolean => {
    try {
      checkedIdentity({ ...person, tin }, today);
      return true;
    } catch {
      return false;
    }
  };
  const given = fc.record(
    {
      kind: fc.constantFrom('individual', 'company'),
      firstName: words,
      lastName: words,
      name: words,
      street: words,
      postalCode: fc.oneof(words, fc.constant('111 22')),
      city: fc.oneof(words, fc.constant('Umeå')),
      country,
      tin: fc.oneof(swedish, fc.stringMatching(/^[A-Za-z0-9 -]{2,30}$/)),
      tinCountry: country,
      registrationNumber: words,
      birthDate: fc
        .date({ min: new Date('1900-01-01'), max: at, noInvalidDate: true })
        .map((day) => day.toISOString().slice(0, 10)),
      iban: fc.constantFrom('SE35 5000 0000 0549 1000 0003', 'DE89370400440532013000', 'GB29NWBK60161331926819'),
    },
    { requiredKeys: ['kind', 'street', 'postalCode', 'city', 'country', 'tin', 'tinCountry'] },
  );

  it('is right for whoever setSellerIdentity takes, whatever they were credited', () => {
    const amount = fc.oneof(fc.integer({ min: 0, max: 1_000_000_000_000 }), fc.constantFrom(0, 99, 100, 101));
    const sums = fc.tuple(
      ...quarters.map((n) => fc.tuple(amount, amount, fc.nat()).map((some) => quarter(n, ...some))),
    );
    const sellers = fc.array(
      fc.tuple(given, sums, fc.constantFrom('SEK', 'EUR', 'JPY', 'KWD'), fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/)),
      { minLength: 1, maxLength: 5 },
    );
    let taken = 0;
    fc.assert(
      fc.property(sellers, fc.boolean(), (some, operatorSent) => {
        const reported = some.flatMap(([input, made, currency, coachId]) => {
          const parsed = setSellerIdentitySpec.input.safeParse(input);
          if (!parsed.success) return [];
          try {
            return [sellerOf(parsed.data, made, { coachId, currency })];
          } catch {
            return [];
          }
        });
        taken += reported.length;
        expect(reported.flatMap(({ obstacles }) => obstacles)).toEqual([]);
        if (reported.length > 0) expect(dpiFile(of(reported, { operatorSent }))).toContain('<dpi:DPI_OECD');
      }),
      { numRuns: 300 },
    );
    expect(taken).toBeGreaterThan(50);
  });

  it('is read whole where every character of a full page is escaped, and stays far below 10 MB', () => {
    const told = {
      ...person,
      firstName: '&'.repeat(100),
      lastName: '"'.repeat(100),
      street: '<'.repeat(200),
      city: '>'.repeat(100),
    };
    const sellers = Array.from({ length: 300 }, (_, n) => sellerOf(told, year, { coachId: `coach-${n}` }));
    expect(Buffer.byteLength(dpiFile(of(sellers)))).toBeLessThan(5_000_000);
  });

  const sellers = [sellerOf(person), sellerOf({ ...company, tin: '12345' }, year, { coachId: 'acme' })];
  const message = messageOf(of(sellers));
  const right = dpiFile(of(sellers));
  it.each<[string, (xml: string) => string]>([
    ['is no XML', (xml) => xml.replace('</dpi:City>', '')],
    ['lacks an element', (xml) => xml.replace(/<dpi:NumbQ2>.*?<\/dpi:NumbQ2>/, '')],
    ['has one more', (xml) => xml.replace('<dpi:BirthInfo>', '<dpi:Nationality>SE</dpi:Nationality><dpi:BirthInfo>')],
    [
      'has them in another order',
      (xml) => xml.replace(/(<dpi:FirstName>.*?<\/dpi:FirstName>)\s*(<dpi:LastName>.*?<\/dpi:LastName>)/, '$2$1'),
    ],
    ['has a sum with decimals', (xml) => xml.replace('>400<', '>400.99<')],
    ['has another sum', (xml) => xml.replace('>400<', '>401<')],
    ['has no currency', (xml) => xml.replace(' currCode="SEK"', '')],
    ['has an unknown country', (xml) => xml.replaceAll('>DE<', '>UK<')],
    ['has an empty name', (xml) => xml.replace(/<dpi:LastName>.*?<\/dpi:LastName>/, '<dpi:LastName></dpi:LastName>')],
    ['has a wrong tax number', (xml) => xml.replaceAll('198112189876', '198112189875')],
    ['lost a seller', (xml) => xml.replace(/<dpi:ReportableSeller>[^]*?<\/dpi:ReportableSeller>/, '')],
    ['has a control character', (xml) => xml.replace('Örebro', 'Ö\u0001rebro')],
  ])('that %s is not given out', (_why, spoilt) => {
    expect(problemOf(right, message, sellers)).toBeUndefined();
    expect(spoilt(right)).not.toBe(right);
    expect(problemOf(spoilt(right), message, sellers)).toBeDefined();
  });

  it('whose sums are not the sellers’ is not given out, though it says what was meant', () => {
    const others = [sellerOf(person, [quarter(1, 40_200, 9_950, 1), ...year.slice(1)]), ...sellers.slice(1)];
    expect(problemOf(right, message, others)).toBe('the sums of karin are others');
  });
});

describe('the platform', () => {
  it('is read of the params, and the one that lacks is named', () => {
    expect(platform).toMatchObject({ street: 'Storgatan 1', postalCode: '111 22', city: 'Stockholm' });
    expect(platformOf({ ...testConfig, platformAddress: 'c/o Ek, Resegatan 1\n11122 Upplands Väsby' })).toMatchObject({
      ...{ street: 'c/o Ek, Resegatan 1', postalCode: '11122', city: 'Upplands Väsby' },
    });
    expect(platformOf({ ...testConfig, platformBusinessName: testConfig.platformName }).businessName).toBeUndefined();
    const wrong: [Partial<typeof testConfig>, string][] = [
      [{ platformName: ' ' }, 'PLATFORM_NAME'],
      [{ platformOrganisationNumber: '' }, 'PLATFORM_ORGANISATION_NUMBER'],
      [{ platformOrganisationNumber: '5566778898' }, 'PLATFORM_ORGANISATION_NUMBER'],
      [{ platformAddress: '' }, 'PLATFORM_ADDRESS'],
      [{ platformAddress: 'Storgatan 1, Stockholm' }, 'PLATFORM_ADDRESS'],
    ];
    for (const [part, param] of wrong)
      expect(() => platformOf({ ...testConfig, ...part })).toThrow(
        expect.objectContaining({ reason: 'dac7-platform-unknown', details: { param } }) as Error,
      );
  });
});

describe('obstacles', () => {
  it('are what a seller is named by and nobody told, goods, and a quarter below zero; not an unknown account', () => {
    const minus = [quarter(1, 100, 0, 1), quarter(2, -1, 0, 0), quarter(3, 0, 0, 0), quarter(4, 0, 0, 0)];
    expect(obstaclesOf({ missing: ['name', 'tin', 'iban'], sellsGoods: true, quarters: minus })).toEqual([
      ...['name', 'tin', 'sellsGoods', 'negativeQuarter'],
    ]);
    expect(obstaclesOf({ missing: ['iban'], sellsGoods: false, quarters: year })).toEqual([]);
  });
});
