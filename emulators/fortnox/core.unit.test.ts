import fc from 'fast-check';
import { trialBalance } from './control.ts';
import { createFortnoxCore, FORTNOX_EMULATOR_DEFAULTS } from './index.ts';
import type { CoreReply, FortnoxCore } from './index.ts';

/** The emulator in-process: no socket, a clock that is passed in, every reply at once. */

const START = Date.parse('2026-11-20T08:00:00Z');
const { clientId, clientSecret, tenantId } = FORTNOX_EMULATOR_DEFAULTS;

type Answered = Extract<CoreReply, { kind: 'answer' }>;

function call(core: FortnoxCore, method: string, url: string, headers: Record<string, string>, body = ''): Answered {
  const reply = core.handle({ method, url, headers, body, origin: 'http://fortnox' });
  if (reply.kind === 'drop') throw new Error('dropped');
  return reply;
}

function bearer(core: FortnoxCore): Record<string, string> {
  const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
  const headers = { authorization, tenantid: String(tenantId), 'content-type': 'application/x-www-form-urlencoded' };
  const { body } = call(core, 'POST', '/oauth-v1/token', headers, 'grant_type=client_credentials');
  const { access_token: token } = JSON.parse(body) as { access_token: string };
  return { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
}

describe('the core', () => {
  it('lives by the clock it is given', () => {
    let now = START;
    const core = createFortnoxCore({ clock: () => now });
    expect(core.now()).toBe(START);
    expect(core.state().years.map(({ from }) => from)).toEqual([
      '2025-01-01',
      '2026-01-01',
      '2027-01-01',
      '2028-01-01',
    ]);
    const headers = bearer(core);
    now += 3_599_999;
    expect(call(core, 'GET', '/3/companyinformation', headers).status).toBe(200);
    now += 1;
    expect(call(core, 'GET', '/3/companyinformation', headers).status).toBe(401);
  });

  it('plays the same twice', () => {
    const play = () => {
      const core = createFortnoxCore({ clock: () => START });
      const headers = bearer(core);
      return [headers, call(core, 'GET', '/3/accounts', headers).body];
    };
    expect(play()).toEqual(play());
  });

  it('keeps every voucher balanced and every series without gaps, whatever is posted', () => {
    const amount = fc.oneof(
      fc.integer({ min: 0, max: 1_000_000 }).map((ore) => ore / 100),
      fc.double(),
    );
    const row = fc.record({ Account: fc.constantFrom(1686, 3001, 1580, 5090), Debit: amount, Credit: amount });
    const balanced = fc.integer({ min: 1, max: 99_999 }).map((ore) => [
      { Account: 1686, Debit: ore / 100, Credit: 0 },
      { Account: 3001, Debit: 0, Credit: ore / 100 },
    ]);
    const voucher = fc.record({
      Description: fc.constantFrom('key', '', 'a|b'),
      TransactionDate: fc.constantFrom('2026-11-20', '2027-01-01', 'never'),
      VoucherSeries: fc.constantFrom('A', 'S', 'F', 'Q'),
      VoucherRows: fc.oneof(balanced, fc.array(row, { maxLength: 4 })),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(voucher, fc.constantFrom('', '?financialyear=2', '?financialyear=3'))), (posts) => {
        let now = START;
        const core = createFortnoxCore({ clock: () => now });
        const headers = bearer(core);
        for (const [Voucher, query] of posts) {
          now += 1000;
          const before = core.state().vouchers.length;
          const { status } = call(core, 'POST', `/3/vouchers${query}`, headers, JSON.stringify({ Voucher }));
          expect(core.state().vouchers.length - before).toBe(status === 201 ? 1 : 0);
        }
        const { vouchers, books } = core.state();
        for (const { rows } of vouchers)
          expect(rows.reduce((sum, one) => sum + one.debitOre - one.creditOre, 0)).toBe(0);
        expect(Object.values(trialBalance(core.state(), null)).reduce((sum, ore) => sum + ore, 0)).toBe(0);
        for (const [year, book] of Object.entries(books)) {
          for (const [series, next] of Object.entries(book.nextNumber)) {
            const numbers = vouchers
              .filter((one) => String(one.financialYear) === year && one.series === series)
              .map(({ number }) => number);
            expect(numbers).toEqual(Array.from({ length: next - 1 }, (_, index) => index + 1));
          }
        }
      }),
    );
  });
});
