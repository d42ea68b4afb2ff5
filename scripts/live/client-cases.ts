import assert from 'node:assert/strict';
import { createFortnoxClient, type FortnoxClient, FortnoxError } from '../../functions/src/platform/fortnox/index.ts';
import type { ContractCase } from './case.ts';
import { toPost, type FortnoxTarget } from './fortnox-cases.ts';

/** What the product's own client makes of Fortnox's answers. */

const clients = new WeakMap<FortnoxTarget, FortnoxClient>();

function clientOf(target: FortnoxTarget): FortnoxClient {
  const { apiBase, tokenBase, clientId, clientSecret, tenantId } = target;
  const client =
    clients.get(target) ??
    createFortnoxClient({ apiBase, tokenBase, clientId, clientSecret, tenantId, now: () => new Date() });
  clients.set(target, client);
  return client;
}

const today = ({ now }: FortnoxTarget) => now.toISOString().slice(0, 10);

async function yearOf(target: FortnoxTarget): Promise<number> {
  const year = await clientOf(target).financialYear(today(target));
  return year?.id ?? assert.fail(`there is no financial year for ${today(target)}`);
}

export const clientCases: readonly ContractCase<FortnoxTarget>[] = [
  {
    name: 'reads the company and the locked period',
    async run(target) {
      const company = await clientOf(target).companyInformation();
      assert.equal(String(company.databaseNumber), target.tenantId);
      assert.match((await clientOf(target).lockedPeriod()) ?? '2000-01-01', /^\d{4}-\d{2}-\d{2}$/);
    },
  },
  {
    name: 'finds the year of a day, and null for an account or a series that is not there',
    async run(target) {
      const year = await yearOf(target);
      assert.equal(await clientOf(target).financialYear('1950-01-01'), null);
      assert.equal(await clientOf(target).account(1999, year), null);
      assert.equal(await clientOf(target).voucherSeries('ZZZZZ', year), null);
    },
  },
  {
    name: 'names wrong credentials as something for a person',
    async run(target) {
      const stranger = clientOf({ ...target, clientSecret: 'wrong' });
      await assert.rejects(
        stranger.companyInformation(),
        (error) => error instanceof FortnoxError && error.kind === 'unauthorized',
      );
    },
  },
  {
    name: 'posts a voucher, finds it by its day and text, reads it back to the öre, and takes it back',
    needs: toPost,
    async run(target) {
      const client = clientOf(target);
      const financialYearId = await yearOf(target);
      const description = `client ${target.now.getTime()}`;
      const series = target.series ?? '';
      const voucher = { financialYearId, series, date: today(target), description };
      const row = (account: number, debitMinor: number, creditMinor: number) => ({ account, debitMinor, creditMinor });
      const made = await client.createVoucher({ ...voucher, rows: [row(1930, 9980, 0), row(3001, 0, 9980)] });
      await client.createVoucher({
        ...voucher,
        description: `${description} back`,
        rows: [row(3001, 9980, 0), row(1930, 0, 9980)],
      });
      const found = await client.findVouchers({ series, date: today(target), financialYearId });
      assert.deepEqual(
        found.filter((one) => one.description === description).map(({ number }) => number),
        [made.number],
      );
      const read = await client.voucher(series, made.number, financialYearId);
      assert.deepEqual(
        read?.rows.map(({ account, debitMinor, creditMinor }) => [account, debitMinor, creditMinor]),
        [
          [1930, 9980, 0],
          [3001, 0, 9980],
        ],
      );
    },
  },
];
