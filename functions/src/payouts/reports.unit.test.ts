import fc from 'fast-check';
import { Timestamp, type Firestore } from 'firebase-admin/firestore';
import { completeOnboarding } from '../../../emulators/stripe/index.ts';
import { endOf, spansBefore, startOf } from '../coaches/earnings-report.ts';
import { newEarning } from '../coaches/earnings.ts';
import type { Cadence } from '../coaches/coaches.ts';
import { startOnboarding } from '../coaches/onboarding.service.ts';
import { processPayment } from '../payments/payments.service.ts';
import { addDays, businessDate, days, hours, weekday, type BusinessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { answer } from '../platform/entrance.ts';
import { minor, sum } from '../platform/money.ts';
import { createTestWorld, type TestWorld } from '../testing/world.ts';
import { bankingDayFrom, isBankingDay } from './calendar.ts';
import { dueIn } from './due.ts';
import { nextPayDate } from './next.ts';
import { payCoach } from './payouts.service.ts';
import { getCoachEarningsSpec, getPayoutStatementSpec, listPayoutsSpec } from './reports.api.ts';
import { statementCsv } from './statement-csv.ts';
import { statementPdf } from './statement-pdf.ts';
import { remainingOf, statementOf, type Statement } from './statement.ts';
import { makePdf } from '../platform/pdf.ts';
import type { Payout, PayoutItem } from './payouts.ts';

const anyDay = fc.integer({ min: 0, max: 4000 }).map((n) => addDays('2025-01-01', n));

describe('the next payout', () => {
  it('is the day on which the run pays, whatever the cadence', () => {
    const cadences: Cadence[] = ['daily', 'weekly', 'biweekly', 'monthly', 'manual'];
    const bankingDayBefore = (day: BusinessDate) => {
      let before = addDays(day, -1);
      while (!isBankingDay(before)) before = addDays(before, -1);
      return before;
    };
    fc.assert(
      fc.property(anyDay, fc.constantFrom(...cadences), (from, cadence) => {
        let paid: BusinessDate | undefined;
        for (let day = bankingDayFrom(from); !paid && day < addDays(from, 45); day = bankingDayFrom(addDays(day, 1))) {
          if (dueIn(cadence, { after: bankingDayBefore(day), through: day })) paid = day;
        }
        expect(nextPayDate(cadence, from)).toBe(paid);
      }),
      { numRuns: 60 },
    );
  });
});

describe('weeks and months', () => {
  it('follow one another without gap, up to the end of this one', () => {
    fc.assert(
      fc.property(
        anyDay,
        fc.constantFrom('week' as const, 'month' as const),
        fc.integer({ min: 1, max: 14 }),
        (day, unit, count) => {
          const spans = spansBefore(unit, endOf(unit, day), count);
          expect(spans).toHaveLength(count);
          const [first] = spans;
          expect(first && first.from <= day && day < first.until).toBe(true);
          spans.forEach((span, n) => {
            expect(span.from).toBe(startOf(unit, span.from));
            if (unit === 'week') expect([weekday(span.from), addDays(span.from, 7)]).toEqual([1, span.until]);
            else expect(span.from.slice(8) + span.until.slice(8)).toBe('0101');
            if (n > 0) expect(span.until).toBe(spans[n - 1]?.from);
          });
        },
      ),
    );
  });
});

describe('a statement', () => {
  const at = Timestamp.fromDate(new Date('2026-11-23T08:00:00Z'));
  const payout = (amountMinor: number): Payout =>
    ({
      coachId: 'karin',
      amountMinor: minor(amountMinor),
      currency: 'SEK',
      date: at,
      createdAt: at,
      status: 'completed',
      stripePayoutId: 'po_1',
    }) as unknown as Payout;
  const earning = (n: number, customerName = `Kund ${n}`, description = 'Livskompassen, fyra veckor') => {
    const told = {
      paymentId: `pi_${n}`,
      amountMinor: minor(49_900),
      feeMinor: minor(9_900),
      currency: 'SEK',
      description,
      customerName,
      ledgerId: `ch_${n}:sale`,
    };
    return newEarning(told, at);
  };
  const figures = {
    sales: 3,
    earnedMinor: minor(149_700),
    feesMinor: minor(29_700),
    refundsMinor: minor(0),
    shareMinor: minor(120_000),
    paidMinor: minor(0),
    availableMinor: minor(1_500),
    pendingMinor: minor(80_000),
    heldMinor: minor(40_000),
    debtMinor: minor(5_000),
  };
  const rest = {
    overview: figures,
    pending: [{ date: '2026-11-27', amountMinor: minor(70_000) }],
    next: { date: '2026-11-30', amountMinor: minor(0), reason: 'below-minimum' as const },
    madeAt: at.toDate(),
  };
  const made = (amounts: readonly number[], names: readonly string[] = []): Statement => {
    const items = amounts.map((amountMinor, n): [string, PayoutItem] => [
      `ch_${n}:sale`,
      { paymentId: `pi_${n}`, kind: 'sale', amountMinor: minor(amountMinor) },
    ]);
    const earnings = amounts.map((_, n) => [`ch_${n}:sale`, earning(n, names[n])] as const);
    return statementOf({
      payoutId: 'karin_SEK_2026-11-23_1',
      payout: payout(sum(amounts)),
      items: new Map(items),
      earnings: new Map(earnings),
      ...rest,
    });
  };

  it('lists items that sum to the payout, and refuses to be made when they do not', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -40_000, max: 40_000 }), { maxLength: 30 }), (amounts) => {
        const statement = made(amounts);
        expect(sum(statement.lines.map(({ amountMinor }) => amountMinor))).toBe(statement.amountMinor);
      }),
    );
    const items = new Map([['ch_0:sale', { paymentId: 'pi_0', kind: 'sale' as const, amountMinor: minor(1) }]]);
    expect(() => statementOf({ payoutId: 'p', payout: payout(2), items, earnings: new Map(), ...rest })).toThrow(
      /items sum to 1/,
    );
  });

  it('explains everything that stays behind', () => {
    const remaining = remainingOf(rest);
    expect(remaining).toEqual([
      { why: 'below-minimum', until: '2026-11-30', amountMinor: 1_500 },
      { why: 'pending', until: '2026-11-27', amountMinor: 70_000 },
      { why: 'pending', until: null, amountMinor: 10_000 },
      { why: 'disputed', until: null, amountMinor: 40_000 },
      { why: 'debt', until: null, amountMinor: -5_000 },
    ]);
    expect(sum(remaining.map(({ amountMinor }) => amountMinor))).toBe(1_500 + 80_000 + 40_000 - 5_000);
  });

  it('is a spreadsheet in both languages, and no formula gets in by a name', () => {
    const statement = made([40_000, -1_050], ['=HYPERLINK("http://evil.example")', 'Åsa "Ö" Ek; Nilsson']);
    const swedish = statementCsv(statement, 'sv').split('\r\n');
    expect(swedish[0]).toBe('\uFEFFDatum;Avser;Kund;Kunden betalade;Avgift;Återbetalt;Utbetalt;ID');
    expect(swedish[1]).toContain('"\'=HYPERLINK(""http://evil.example"")";499,00;99,00;0,00;400,00;pi_0');
    expect(swedish[2]).toContain('"Åsa ""Ö"" Ek; Nilsson";499,00;99,00;0,00;-10,50;pi_1');
    expect(swedish[3]).toBe('2026-11-23;Summa;;;;;389,50;po_1');
    const english = statementCsv(statement, 'en').split('\r\n');
    expect(english[2]).toContain(',499.00,99.00,0.00,-10.50,pi_1');
    expect(english[4]).toBe('2026-11-30,Still with us: Below the least amount of a payout,,,,,15.00,');
  });

  it.each(['sv', 'en'] as const)('is a PDF (%s)', async (language) => {
    const statement = made(
      Array.from({ length: 60 }, () => 40_000),
      ['Łukasz Ćwikła', 'Ελένη', 'Åsa Öberg'],
    );
    const pdf = await makePdf(statementPdf(statement, language));
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pdf.length).toBeLessThan(200_000);
  });
});

describe("a coach's page", () => {
  const karin = { uid: 'karin', email: 'karin@example.se', coach: true, admin: false };
  const olle = { uid: 'olle', email: 'olle@example.se', coach: true, admin: false };
  const anna = { uid: 'anna', coach: false, admin: true };
  const lisa = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };
  let world: TestWorld;
  let ctx: Context;
  let db: Firestore;
  let sales = 0;

  beforeEach(async () => {
    world = await createTestWorld();
    ctx = world.ctx;
    db = ctx.db;
    const addresses = { returnUrl: 'http://127.0.0.1:5000/return', refreshUrl: 'http://127.0.0.1:5000/refresh' };
    const { reply } = await startOnboarding(ctx, karin, addresses);
    completeOnboarding(world.stripeEmulator.core.world, reply.stripeAccountId, {
      firstName: 'Karin',
      lastName: 'Coach',
      email: karin.email,
      phone: '+46700000000',
      birthDate: '1980-01-01',
      street: 'Gatan 1',
      postalCode: '11122',
      city: 'Stockholm',
      iban: 'SE3550000000054910000003',
    });
    await world.deliver();
    const product = {
      name: 'Programme',
      currency: 'SEK',
      vatRate: 25,
      active: true,
      kind: 'programme',
      coachId: 'karin',
    };
    await db.doc('products/programme').set({ ...product, amountMinor: 49_900 });
  });
  afterEach(() => world.close());

  async function sell(paymentMethodId: string): Promise<string> {
    const requestId = `sale-${String(++sales).padStart(6, '0')}`;
    const { paymentId } = await processPayment(ctx, lisa, { productId: 'programme', requestId, paymentMethodId });
    await world.deliver();
    return paymentId;
  }
  const pay = async () => {
    const day = businessDate(world.now());
    expect(await payCoach(ctx, { coachId: 'karin', currency: 'SEK', dueDate: day, runId: day })).toBe('settled');
    await world.deliver();
    return `karin_SEK_${day}_1`;
  };
  const earnings = (input: object = {}, caller = karin) => answer(ctx, getCoachEarningsSpec, caller, input);
  const list = (input: object = {}, caller = karin) => answer(ctx, listPayoutsSpec, caller, input);

  it('shows where the money is and what the next run pays', async () => {
    const loose = await sell('pm_card_bypassPending');
    await sell('pm_card_visa');
    const shown = await earnings();
    expect(shown).toMatchObject({
      coachId: 'karin',
      currency: 'SEK',
      sales: 2,
      earnedMinor: 99_800,
      feesMinor: 19_800,
      refundsMinor: 0,
      shareMinor: 80_000,
      paidMinor: 0,
      availableMinor: 40_000,
      pendingMinor: 40_000,
      heldMinor: 0,
      debtMinor: 0,
      hours: 0,
      completionRate: null,
    });
    expect(shown.pending).toMatchObject([{ amountMinor: 40_000 }]);
    const { date, reason } = shown.nextPayout;
    expect(reason).toBeNull();
    // The run, on that day, pays exactly what was foretold.
    await world.advance(new Date(`${date}T09:00:00Z`).getTime() - world.now().getTime());
    const foretold = shown.nextPayout.amountMinor;
    const payoutId = await pay();
    const [made] = (await list()).payouts;
    expect(made).toMatchObject({ payoutId, amountMinor: foretold, status: 'pending' });
    expect(made?.items).toContainEqual({
      paymentId: loose,
      kind: 'sale',
      amountMinor: 40_000,
      description: 'Programme',
      customerName: 'Lisa Kund',
    });
    expect(made?.moreItems).toBe(false);
    const after = await earnings();
    expect(after.paidMinor).toBe(foretold);
    expect(after.shareMinor - after.paidMinor).toBe(
      after.availableMinor + after.pendingMinor + after.heldMinor - after.debtMinor,
    );
  });

  it('goes by weeks and months, page by page', async () => {
    await sell('pm_card_bypassPending');
    await world.advance(days(40));
    await sell('pm_card_bypassPending');
    const shown = await earnings();
    expect(shown.weeks).toHaveLength(12);
    expect(shown.weeks[0]).toMatchObject({ sales: 1, earnedMinor: 49_900, feesMinor: 9_900, shareMinor: 40_000 });
    expect(sum(shown.weeks.map(({ sales: n }) => n))).toBe(2);
    expect(sum(shown.months.map(({ shareMinor }) => shareMinor))).toBe(80_000);
    const older = await earnings({ weeksBefore: shown.nextWeeksBefore, monthsBefore: shown.nextMonthsBefore });
    expect(older.weeks[0]?.to).toBe(addDays(shown.weeks[11]?.from ?? '', -1));
    expect(sum(older.months.map(({ sales: n }) => n))).toBe(0);
  });

  it('shows somebody who has not begun an empty page', async () => {
    expect(await earnings({}, olle)).toMatchObject({
      earnedMinor: 0,
      nextPayout: { amountMinor: 0, reason: 'no-account' },
    });
    expect(await list({}, olle)).toEqual({ payouts: [], nextCursor: null });
  });

  it('still shows what is owed to a coach who has shut us out, and why it is not paid', async () => {
    await sell('pm_card_bypassPending');
    await db.doc('coaches/karin').update({ accountStatus: 'deauthorized', payoutsEnabled: false });
    expect(await earnings()).toMatchObject({
      availableMinor: 40_000,
      nextPayout: { amountMinor: 40_000, reason: 'account-not-active' },
    });
  });

  it('counts sessions where there are any', async () => {
    const { coachEarnings } = await import('./reports.service.ts');
    const count = async () => ({ hours: 7.5, completed: 9, ended: 10 });
    const shown = await coachEarnings(ctx, karin, {}, count);
    expect(shown).toMatchObject({ hours: 7.5, sessionsCompleted: 9, completionRate: 0.9 });
  });

  it('lists payouts page by page', async () => {
    for (let n = 0; n < 3; n++) {
      await sell('pm_card_bypassPending');
      await pay();
      await world.advance(hours(25));
    }
    const first = await list({ limit: 2 });
    expect(first.payouts).toHaveLength(2);
    const second = await list({ limit: 2, cursor: first.nextCursor });
    expect(second).toMatchObject({ payouts: [{}], nextCursor: null });
    const dates = [...first.payouts, ...second.payouts].map(({ date }) => date);
    expect(dates).toEqual([...dates].sort().reverse());
    expect(new Set(dates).size).toBe(3);
    await expect(list({ cursor: 'nobody_SEK_2026-11-23_1' })).rejects.toMatchObject({ reason: 'cursor-unknown' });
  });

  it('is the coach’s own and the administrators’', async () => {
    await sell('pm_card_bypassPending');
    const payoutId = await pay();
    const statement = (caller: typeof karin | typeof anna) =>
      answer(ctx, getPayoutStatementSpec, caller, { payoutId, format: 'csv', language: 'sv' });
    expect(await earnings({ coachId: 'karin' }, anna as typeof karin)).toMatchObject({ coachId: 'karin', sales: 1 });
    expect((await list({ coachId: 'karin' }, anna as typeof karin)).payouts).toHaveLength(1);
    await expect(earnings({ coachId: 'karin' }, olle)).rejects.toMatchObject({ reason: 'not-yours' });
    await expect(list({ coachId: 'karin' }, olle)).rejects.toMatchObject({ reason: 'not-yours' });
    await expect(earnings({}, lisa as unknown as typeof karin)).rejects.toMatchObject({ reason: 'coach-only' });
    await expect(statement(olle)).rejects.toMatchObject({ code: 'not-found', reason: 'payout-not-found' });
    const { base64, contentType, fileName } = await statement(karin);
    expect(contentType).toContain('text/csv');
    expect(fileName).toMatch(/^utbetalning-.*\.csv$/);
    const text = Buffer.from(base64, 'base64').toString('utf8');
    expect(text).toContain('Lisa Kund;499,00;99,00;0,00;400,00;pi_');
    expect(await statement(anna)).toMatchObject({ fileName });
    const pdf = await answer(ctx, getPayoutStatementSpec, karin, { payoutId, format: 'pdf', language: 'en' });
    expect(pdf.contentType).toBe('application/pdf');
    expect(Buffer.from(pdf.base64, 'base64').subarray(0, 5).toString()).toBe('%PDF-');
  });
});
