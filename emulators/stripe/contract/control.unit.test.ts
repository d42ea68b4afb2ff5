import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onboardedCoach, refusal, sellProgramme, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

describe('the control API', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await startBench();
  });
  afterEach(() => bench.close());

  it('tells what it can do', async () => {
    const overview = await bench.control<{ commands: object; routes: string[]; testCards: string[] }>('GET', '');
    expect(Object.keys(overview.commands)).toContain('POST /_emulator/clock');
    expect(overview.routes.some((route) => route.startsWith('POST /v1/payment_intents ('))).toBe(true);
    expect(overview.testCards).toContain('pm_card_se');
    expect(await bench.control('GET', '/health')).toMatchObject({ ok: true });
    await expect(bench.control('GET', '/bogus')).rejects.toThrow('There is no GET /_emulator/bogus');
  });

  it('shows everything by account, and forgets it without repeating an id', async () => {
    const coach = await onboardedCoach(bench.stripe);
    const sale = await sellProgramme(bench.stripe, coach);
    interface State {
      platform: { charges: { id: string }[]; balance: { available: { amount: number }[] } };
      accounts: Record<string, { balance_transactions: { net: number }[] }>;
    }
    const state = await bench.control<State>('GET', '/state');
    expect(state.platform.charges.map((each) => each.id)).toEqual([sale.latest_charge]);
    expect(state.platform.balance.available[0]?.amount).toBe(8_971);
    expect(state.accounts[coach]?.balance_transactions.map((each) => each.net)).toEqual([40_000]);
    await bench.control('POST', '/webhook_endpoints', { url: 'http://127.0.0.1:9/none', secret: 's' });
    await bench.control('POST', '/reset');
    expect((await refusal(bench.stripe.paymentIntents.retrieve(sale.id))).statusCode).toBe(404);
    expect((await refusal(bench.stripe.balance.retrieve({}, { stripeAccount: coach }))).statusCode).toBe(403);
    expect((await bench.control<{ data: object[] }>('GET', '/webhook_endpoints')).data).toHaveLength(1);
    expect((await bench.stripe.customers.create({})).id).not.toBe(sale.id);
    await bench.control('POST', '/reset', { endpoints: true });
    expect((await bench.control<{ data: object[] }>('GET', '/webhook_endpoints')).data).toEqual([]);
  });

  it('serves the receipt of a charge, and answers browsers of other origins', async () => {
    const coach = await onboardedCoach(bench.stripe);
    const sale = await sellProgramme(bench.stripe, coach);
    const { receipt_url: url } = await bench.stripe.charges.retrieve(sale.latest_charge as string);
    expect(await (await fetch(url!)).text()).toContain('499.00 SEK');
    expect((await fetch(`${bench.emulator.url}/_hosted/receipts/ch_none`)).status).toBe(404);
    const preflight = await fetch(`${bench.emulator.url}/v1/payment_intents/${sale.id}`, { method: 'OPTIONS' });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
  });

  it('moves the clock forward only', async () => {
    const { now } = await bench.control<{ now: number }>('GET', '/clock');
    expect(Math.abs(now - Date.now() / 1000)).toBeLessThan(2);
    expect(
      (await bench.control<{ now: number }>('POST', '/clock', { advanceSeconds: 100 })).now,
    ).toBeGreaterThanOrEqual(now + 100);
    expect((await bench.control<{ now: number }>('POST', '/clock', { now: now + 1_000 })).now).toBeGreaterThanOrEqual(
      now + 1_000,
    );
    await expect(bench.control('POST', '/clock', { now })).rejects.toThrow('only forward');
    await expect(bench.control('POST', '/clock', {})).rejects.toThrow('either');
    await expect(bench.control('POST', '/clock', { advanceSeconds: 0.5 })).rejects.toThrow('whole seconds');
  });

  it('refuses switches that do not exist or take no such value', async () => {
    await expect(bench.control('POST', '/switches', { bogus: 1 })).rejects.toThrow(`no switch 'bogus'`);
    await expect(bench.control('POST', '/switches', { deliveries: 'perhaps' })).rejects.toThrow('automatic');
    await expect(bench.control('POST', '/switches', { cardFundsDelaySeconds: -1 })).rejects.toThrow('whole number');
    expect(await bench.control('POST', '/switches', { cardFundsDelaySeconds: 3_600 })).toMatchObject({
      cardFundsDelaySeconds: 3_600,
    });
  });
});

describe('the command', () => {
  // The one that the root package.json's script runs.
  const run = (...given: string[]) => {
    const child = spawn(process.execPath, [join('emulators', 'stripe', 'main.ts'), ...given], { cwd: process.cwd() });
    let output = '';
    const watchers: (() => void)[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString('utf8');
        for (const look of watchers) look();
      });
    }
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    const says = (text: string) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (output.includes(text)) resolve();
        };
        watchers.push(look);
        look();
      });
    return { child, ended, says, output: () => output };
  };

  it('listens, says where, and ends at Ctrl-C', async () => {
    const command = run('--port', '0', '--webhook', 'http://127.0.0.1:9/hook?a=b=whsec_1');
    await command.says('what it can do');
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(command.output())![0];
    const endpoints = (await (await fetch(`${url}/_emulator/webhook_endpoints`)).json()) as { data: object[] };
    expect(endpoints.data).toMatchObject([{ url: 'http://127.0.0.1:9/hook?a=b', secret: 'whsec_1', connect: false }]);
    command.child.kill('SIGINT');
    expect(await command.ended).toBe(0);
  }, 20_000);

  it('says plainly that a port is taken and that an option is wrong', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    const command = run('--port', String(port));
    expect(await command.ended).toBe(1);
    expect(command.output()).toContain(`Port ${port} is taken`);
    holder.close();
    const wrong = run('--bogus');
    expect(await wrong.ended).toBe(1);
    expect(wrong.output()).toContain('--connect-webhook');
  }, 20_000);
});
