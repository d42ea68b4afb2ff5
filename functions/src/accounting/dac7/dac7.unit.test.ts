import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { newCoach } from '../../coaches/coaches.ts';
import { deltas, ledgerKinds, type LedgerDocument, type LedgerKind } from '../../ledger/ledger.ts';
import { refundPayment } from '../../payments/refunds/refunds.service.ts';
import { days } from '../../platform/clock.ts';
import { answer } from '../../platform/entrance.ts';
import { minor, negate, sum, zero } from '../../platform/money.ts';
import { openShop } from '../../testing/shop.ts';
import { createTestWorld, testConfig, type TestWorld } from '../../testing/world.ts';
import { payCoach } from '../../payouts/payouts.service.ts';
import { getDac7ReportSpec, setSellerIdentitySpec } from './dac7.api.ts';
import { activityKinds, considered, rowsOf, spanOf } from './dac7.ts';
import { checkedIdentity, isIban, isSwedishTin, type ToldIdentity } from './identity.ts';

const anna = { uid: 'anna', coach: false, admin: true };
const karin = { uid: 'karin', coach: true, admin: false };
const at = Timestamp.fromDate(new Date('2026-01-01T00:00:00Z'));
const told: ToldIdentity = {
  kind: 'individual',
  firstName: 'Karin',
  lastName: 'Coach',
  street: 'Gatan 1',
  postalCode: '111 22',
  city: 'Stockholm',
  country: 'SE',
  tin: '19811218-9876',
  tinCountry: 'SE',
  birthDate: '1981-12-18',
  iban: 'SE35 5000 0000 0549 1000 0003',
};

describe('a quarter', () => {
  it('is of Stockholm: from its first midnight to the next one’s, summer time or not', () => {
    expect(spanOf(2026, 1)).toEqual({
      from: new Date('2025-12-31T23:00:00Z'),
      to: new Date('2026-03-31T22:00:00Z'),
    });
    expect(spanOf(2026, 4)).toEqual({
      from: new Date('2026-09-30T22:00:00Z'),
      to: new Date('2026-12-31T23:00:00Z'),
    });
  });

  it('reckons with every kind but payouts, which pay what was credited before', () => {
    expect(ledgerKinds.filter((kind) => !considered.includes(kind))).toEqual([
      'payout',
      'payout_returned',
      'reserve',
      'topup',
      'adjustment',
    ]);
  });
});

describe('an identity', () => {
  it('is kept without blanks, and what cannot be right is refused', () => {
    expect(checkedIdentity(told, '2026-11-20')).toMatchObject({
      tin: '198112189876',
      iban: 'SE3550000000054910000003',
    });
    const wrong: Partial<ToldIdentity>[] = [
      { tin: '19811218-9875' },
      { tin: 'ABC' },
      { iban: 'SE3550000000054910000004' },
      { birthDate: undefined },
      { birthDate: '2030-01-01' },
      { firstName: undefined },
      { lastName: undefined },
      { city: 'Lund\uFFFF' },
      { country: 'UK' },
      { tinCountry: 'ZZ' },
      { tin: '- ', tinCountry: 'DE' },
      { kind: 'company' },
      { kind: 'company', name: 'Acme GmbH', tinCountry: 'DE' },
    ];
    for (const part of wrong)
      expect(() => checkedIdentity({ ...told, ...part }, '2026-11-20')).toThrow(
        expect.objectContaining({ reason: 'identity-wrong' }) as Error,
      );
    const company: ToldIdentity = { ...told, kind: 'company', name: 'Acme AB', tin: '556012-5790' };
    const { birthDate, firstName, lastName } = checkedIdentity(company, '2026-11-20');
    expect([birthDate, firstName, lastName]).toEqual([undefined, undefined, undefined]);
    const german: ToldIdentity = { ...company, tinCountry: 'DE', registrationNumber: 'HRB 1' };
    expect(checkedIdentity(german, '2026-11-20').registrationNumber).toBe('HRB 1');
    expect(checkedIdentity({ ...told, tin: '123 abc', tinCountry: 'DE' }, '2026-11-20').tin).toBe('123ABC');
  });

  it('has numbers whose every wrong digit is noticed', () => {
    const digit = fc.integer({ min: 0, max: 9 });
    const wrongAt = (text: string, place: number, by: number) =>
      text.slice(0, place) + String((Number(text[place]) + by) % 10) + text.slice(place + 1);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 4, max: 23 }), digit, (place, ibanPlace, by) => {
        expect(isSwedishTin(wrongAt('8112189876', place, by))).toBe(by === 0);
        expect(isIban(wrongAt('SE3550000000054910000003', ibanPlace, by))).toBe(by === 0);
      }),
    );
  });
});

describe('the report', () => {
  let world: TestWorld;
  beforeAll(async () => {
    world = await createTestWorld();
  });
  afterAll(() => world.close());
  const report = (input: object) => answer(world.ctx, getDac7ReportSpec, anna, input);
  let written = 0;

  /** A made-up coach with made-up documents; what they move need not make sense, only be summed. */
  async function write(some: readonly { kind: LedgerKind; ms: number; moved: readonly number[] }[]): Promise<string> {
    const coachId = `coach-${String(++written).padStart(4, '0')}`;
    await world.ctx.db.doc(`coaches/${coachId}`).set(newCoach(testConfig, at));
    const documents = some.map(({ kind, ms, moved: [payable = 0, receivable = 0, fee = 0] }, n): LedgerDocument => ({
      id: `${coachId}-${n}`,
      kind,
      occurredAt: Timestamp.fromMillis(ms),
      currency: 'SEK',
      deltas: deltas({ coach_payable: payable, coach_receivable: receivable, fee_revenue: fee }),
      parts: { grossMinor: zero, coachMinor: zero, feeMinor: zero, vatRate: 25 },
      coachId,
      stripeObjectId: 'ch_1',
      balanceTransactionIds: [],
      voucherId: null,
      createdAt: at,
    }));
    for (const document of documents) await world.ctx.db.doc(`ledger/${document.id}`).set(document);
    return coachId;
  }

  it('has quarters that are the ledger’s sums, whatever is in it', async () => {
    const [start, end] = [spanOf(2026, 1).from.getTime(), spanOf(2026, 4).to.getTime()];
    const edges = ([1, 2, 3, 4] as const).flatMap((quarter) => {
      const from = spanOf(2026, quarter).from.getTime();
      return [from - 1, from];
    });
    const amount = fc.integer({ min: -1_000_000, max: 1_000_000 });
    const documents = fc.array(
      fc.record({
        kind: fc.constantFrom(...ledgerKinds),
        ms: fc.oneof(
          fc.integer({ min: start - days(40), max: end + days(40) }),
          fc.constantFrom(...edges, end - 1, end),
        ),
        moved: fc.tuple(amount, amount, amount),
      }),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(documents, async (some) => {
        const coachId = await write(some);
        const reply = await report({
          year: 2026,
          cursor: coachId.replace(/\d+$/, (n) => String(Number(n) - 1).padStart(4, '0')),
        });
        const seller = reply.sellers.find((each) => each.coachId === coachId);
        const counted = some.filter(({ kind, ms }) => considered.includes(kind) && ms >= start && ms < end);
        if (counted.length === 0) {
          expect(seller).toBeUndefined();
          return;
        }
        for (const { quarter, ...sums } of seller?.quarters ?? []) {
          const { from, to } = spanOf(2026, quarter);
          const within = counted.filter(({ ms }) => ms >= from.getTime() && ms < to.getTime());
          const activities = within.filter(({ kind }) => activityKinds.includes(kind));
          const share = (of: typeof within) =>
            negate(sum(of.map(({ moved: [payable, receivable] }) => payable + receivable)));
          expect(sums).toEqual({
            considerationMinor: share(within),
            feesMinor: negate(sum(within.map(({ moved }) => moved[2]))),
            activities: activities.length,
            takenOffMinor: minor(share(activities) - share(within)),
          });
        }
        expect(seller?.year.considerationMinor).toBe(
          negate(sum(counted.map(({ moved: [payable, receivable] }) => payable + receivable))),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('comes in pages that leave nobody out and name nobody twice', async () => {
    for (let n = 0; n < 210; n++) {
      await write(n % 3 === 0 ? [{ kind: 'sale', ms: Date.UTC(2024, 5, 1), moved: [-100, 0, -10] }] : []);
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const reply: Awaited<ReturnType<typeof report>> = await report({ year: 2024, ...(cursor ? { cursor } : {}) });
      seen.push(...reply.sellers.map(({ coachId }) => coachId));
      cursor = reply.nextCursor;
      pages++;
    } while (cursor);
    expect(pages).toBeGreaterThan(2);
    expect(seen).toHaveLength(70);
    expect(new Set(seen).size).toBe(70);
  });

  it('is an administrator’s, of years in which there was one to make, and of coaches there are', async () => {
    await expect(report({ year: 2026, coachIds: ['nobody'] })).rejects.toMatchObject({ reason: 'coach-not-found' });
    await expect(report({ year: 2022 })).rejects.toMatchObject({ reason: 'invalid-input' });
    await expect(answer(world.ctx, getDac7ReportSpec, karin, { year: 2026 })).rejects.toMatchObject({
      reason: 'admin-only',
    });
  });
});

describe('with a shop', () => {
  it('has what Karin was credited after fee and refunds, not what she was paid out, and what is not known of her', async () => {
    const shop = await openShop();
    const { ctx } = shop;
    const year = Number(shop.now().toISOString().slice(0, 4));
    await shop.buy();
    const refunded = await shop.buy();
    await refundPayment(ctx, anna, { paymentId: refunded, amountMinor: 24_950, requestId: 'refund-1' });
    await shop.deliver();
    await payCoach(ctx, { coachId: 'karin', currency: 'SEK', dueDate: `${year}-11-23`, runId: 'run-1' });
    await shop.deliver();
    const { sellers } = await answer(ctx, getDac7ReportSpec, anna, { year });
    expect(sellers).toMatchObject([
      {
        coachId: 'karin',
        currency: 'SEK',
        year: { considerationMinor: 60_000, feesMinor: 14_850, activities: 2, takenOffMinor: 20_000 },
        identity: { name: null, country: 'SE', vatNumber: null },
        missing: ['name', 'address', 'tin', 'birthDate', 'iban'],
      },
    ]);
    await answer(ctx, setSellerIdentitySpec, karin, { ...told, firstName: '=Karin' });
    const olle = { ...karin, uid: 'olle' };
    await expect(answer(ctx, setSellerIdentitySpec, olle, { ...told, coachId: 'karin' })).rejects.toMatchObject({
      reason: 'not-yours',
    });
    const csv = await answer(ctx, getDac7ReportSpec, anna, { year, format: 'csv' });
    expect(csv).toMatchObject({ leftOut: 1, file: { sellers: 1 } });
    expect(csv.sellers).toMatchObject([{ missing: [], obstacles: ['sellsGoods'], identity: { tin: '198112189876' } }]);
    const lines = Buffer.from(csv.file?.base64 ?? '', 'base64')
      .toString('utf8')
      .split('\r\n');
    expect(lines[0]).toContain('Q1 consideration');
    expect(lines[1]).toContain(`;'=Karin Coach;'=Karin;Coach;`);
    expect(lines[1]).toMatch(/;600,00;148,50;2;200,00$/);
    expect(rowsOf(csv.sellers).every(({ length }) => length === rowsOf([])[0]?.length)).toBe(true);
    await shop.close();
  });

  it('gives the file of those whom nothing keeps out, a message a page, and names the others with why', async () => {
    const shop = await openShop();
    const { ctx } = shop;
    const { db } = ctx;
    const [year, others] = [Number(shop.now().toISOString().slice(0, 4)), ['goods', 'minus', 'mute', 'olle']] as const;
    await shop.buy();
    const sale = (await db.collection('ledger').where('kind', '==', 'sale').get()).docs[0]?.data() as LedgerDocument;
    for (const coachId of others) {
      await db.doc(`coaches/${coachId}`).set(newCoach(testConfig, at));
      await db.doc(`ledger/${coachId}`).set({ ...sale, id: coachId, coachId });
      if (coachId !== 'mute') await answer(ctx, setSellerIdentitySpec, anna, { ...told, coachId });
    }
    await db.doc('products/book').set({ coachId: 'goods', kind: 'good', active: false });
    const occurredAt = Timestamp.fromDate(spanOf(year, 1).from);
    const back = { ...sale, kind: 'refund', deltas: deltas({ coach_payable: 1, customer_payable: -1 }), occurredAt };
    await db.doc('ledger/back').set({ ...back, id: 'back', coachId: 'minus' });
    const ask = (input: object) => answer(ctx, getDac7ReportSpec, anna, { year, format: 'xml', ...input });
    for (const { ref } of (await db.collection('products').where('coachId', '==', 'karin').get()).docs)
      await ref.update({ kind: 'programme' });
    const reply = await ask({});
    expect(reply.leftOut).toBe(4);
    expect(reply.sellers.map(({ coachId, obstacles }) => [coachId, obstacles])).toEqual([
      ['goods', ['sellsGoods']],
      ['karin', ['name', 'address', 'tin', 'birthDate']],
      ['minus', ['negativeQuarter']],
      ['mute', ['name', 'address', 'tin', 'birthDate']],
      ['olle', []],
    ]);
    expect(reply.file).toMatchObject({ fileName: `dac7-${year}-test.xml`, sellers: 1 });
    const xmlOf = ({ file }: typeof reply) => Buffer.from(file?.base64 ?? '', 'base64').toString('utf8');
    expect(xmlOf(reply)).toContain(`<dpi:ConsQ4 currCode="SEK">400</dpi:ConsQ4>`);
    expect(xmlOf(reply)).toContain('-olle-SEK<');
    expect((await ask({ cursor: 'goods', coachIds: ['goods', 'mute'] })).file).toBeNull();
    await answer(ctx, setSellerIdentitySpec, karin, told);
    await shop.advance(days(60));
    const later = await ask({ coachIds: ['karin', 'karin'] });
    expect(later).toMatchObject({ nextCursor: null, leftOut: 0, sellers: [{}] });
    expect(later.file?.fileName).toBe(`dac7-${year}-some.xml`);
    expect(xmlOf(later)).toContain('<stf:DocTypeIndic>OECD0<');
    expect(xmlOf(await ask({ cursor: 'goods', operatorSent: false }))).not.toContain('OECD0');
    const nameless = { ...ctx, config: { ...ctx.config, platformOrganisationNumber: '' } };
    await expect(answer(nameless, getDac7ReportSpec, anna, { year, format: 'xml' })).rejects.toMatchObject({
      ...{ reason: 'dac7-platform-unknown', details: { param: 'PLATFORM_ORGANISATION_NUMBER' } },
    });
    expect((await answer(nameless, getDac7ReportSpec, anna, { year, format: 'csv' })).file).not.toBeNull();
    await shop.close();
  });
});
