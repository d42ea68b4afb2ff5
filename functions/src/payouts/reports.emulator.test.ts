import { karin } from '../../../scripts/story/people.ts';
import type { CoachStatusReply } from '../coaches/status.service.ts';
import { openRoad, type Road } from '../testing/road.ts';
import type { DocumentReply, PayoutsReply } from './reports.service.ts';
import type { EarningsReply } from './reports.ts';

/** The coach's page through the exported functions, on a real database: its sums, pages and documents. */
let road: Road;

beforeAll(async () => {
  road = await openRoad();
}, 60_000);

afterAll(() => road.harness.close());

it('shows a sale, then its payout with the statement and the invoice that go with it', async () => {
  const { harness, tokens } = road;
  const ask = <T>(name: string, input: object = {}, token = tokens.coach) => harness.call<T>(name, input, token);
  const terms = {
    coachId: karin.uid,
    requestId: 'terms-of-karin',
    note: 'Agreed.',
    cadence: 'weekly',
    feePercent: 20,
  };
  expect(await ask('setCoachTerms', terms, tokens.admin)).toMatchObject({ status: 'done', feeWarning: null });
  expect(await ask('updatePayoutSettings', { requestId: 'settings-1', minimumMinor: 3_000 })).toEqual({
    payoutSettings: { cadence: 'weekly', minimumMinor: 3_000 },
  });
  await road.sell();
  const before = await ask<EarningsReply>('getCoachEarnings');
  expect(before).toMatchObject({ sales: 1, shareMinor: 40_000, paidMinor: 0 });
  expect(before.nextPayout).toMatchObject({ amountMinor: 40_000, reason: null });
  expect(before.weeks[0]).toMatchObject({ sales: 1, earnedMinor: 49_900, feesMinor: 9_900 });

  await road.schedulePayouts();
  await harness.settle();
  await road.arrive();
  const after = await ask<EarningsReply>('getCoachEarnings', { coachId: karin.uid }, tokens.admin);
  expect(after).toMatchObject({ paidMinor: 40_000, availableMinor: 0, pendingMinor: 0 });
  const { payouts, nextCursor } = await ask<PayoutsReply>('listPayouts', { limit: 5 });
  expect(nextCursor).toBeNull();
  expect(payouts).toMatchObject([{ amountMinor: 40_000, status: 'completed', items: [{ description: 'Programme' }] }]);
  const payoutId = payouts[0]?.payoutId ?? '';
  for (const language of ['sv', 'en']) {
    const pdf = await ask<DocumentReply>('getPayoutStatement', { payoutId, format: 'pdf', language });
    expect(Buffer.from(pdf.base64, 'base64').subarray(0, 5).toString()).toBe('%PDF-');
  }
  const csv = await ask<DocumentReply>('getPayoutStatement', { payoutId, format: 'csv', language: 'en' });
  expect(Buffer.from(csv.base64, 'base64').toString('utf8')).toContain(',499.00,99.00,0.00,400.00,pi_');
  await expect(ask('getPayoutInvoice', { payoutId, language: 'sv' })).rejects.toMatchObject({
    details: { reason: 'no-invoice' },
  });
  expect(await ask<CoachStatusReply>('getCoachStatus')).toMatchObject({
    payoutObstacle: null,
    requirementsText: { sv: [] },
  });
  expect((await ask<{ clientSecret: string }>('createCoachAccountSession')).clientSecret).toMatch(/^accs_secret/);
  expect((await ask<{ url: string }>('createCoachLoginLink')).url).toMatch(/^http/);
}, 60_000);
