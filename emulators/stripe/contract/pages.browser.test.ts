/** The hosted pages as a person meets them: a real browser fills them in and clicks. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { FORM, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let browser: Browser;
let shop: Server;
let shopUrl: string;
let page: Page;

beforeAll(async () => {
  // The shop that people come back to.
  shop = createServer((_request, response) => response.end('<h1>Welcome back</h1>'));
  await new Promise<void>((listening) => shop.listen(0, '127.0.0.1', listening));
  shopUrl = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`;
  bench = await startBench();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
}, 60_000);

beforeEach(async () => {
  page = await browser.newPage();
  page.setDefaultTimeout(15_000);
});

afterEach(() => page.close());

afterAll(async () => {
  await browser.close();
  await bench.close();
  await new Promise((closed) => shop.close(closed));
});

const backIn = (path: string) => page.waitForURL((url) => url.href.startsWith(`${shopUrl}${path}`));

async function onboard(): Promise<string> {
  const account = await bench.stripe.accounts.create({
    country: 'SE',
    controller: {
      fees: { payer: 'application' },
      losses: { payments: 'application' },
      stripe_dashboard: { type: 'express' },
      requirement_collection: 'stripe',
    },
    capabilities: { transfers: { requested: true } },
    settings: { payouts: { schedule: { interval: 'manual' } } },
  });
  const link = await bench.stripe.accountLinks.create({
    account: account.id,
    type: 'account_onboarding',
    return_url: `${shopUrl}/return`,
    refresh_url: `${shopUrl}/refresh`,
  });
  await page.goto(link.url);
  for (const [name, value] of Object.entries<string>({ ...FORM })) await page.fill(`[name=${name}]`, value);
  await page.click('button[type=submit]');
  await backIn('/return');
  return account.id;
}

it('a coach fills in the onboarding page and can be paid', async () => {
  const account = await bench.stripe.accounts.retrieve(await onboard());
  expect(account).toMatchObject({
    details_submitted: true,
    payouts_enabled: true,
    capabilities: { transfers: 'active' },
  });
});

it.each([
  ['Complete', 'succeeded', 'succeeded'],
  ['Fail', 'requires_payment_method', 'failed'],
])('3D Secure: a customer clicks %s and the payment is %s', async (button, status, redirectStatus) => {
  const intent = await bench.stripe.paymentIntents.create({
    amount: 49_900,
    currency: 'sek',
    payment_method: 'pm_card_authenticationRequired',
    confirm: true,
    return_url: `${shopUrl}/paid`,
  });
  await page.goto(intent.next_action?.redirect_to_url?.url ?? '');
  await page.getByRole('button', { name: button }).click();
  await backIn('/paid');
  expect(new URL(page.url()).searchParams.get('redirect_status')).toBe(redirectStatus);
  expect((await bench.stripe.paymentIntents.retrieve(intent.id)).status).toBe(status);
});

it('Checkout sells a subscription, and the portal cancels it', async () => {
  const customer = await bench.stripe.customers.create({ email: 'lisa@example.se' });
  const session = await bench.stripe.checkout.sessions.create({
    mode: 'subscription',
    customer: customer.id,
    line_items: [
      {
        price_data: {
          currency: 'sek',
          unit_amount: 9_900,
          recurring: { interval: 'month' },
          product_data: { name: 'Premium' },
        },
        quantity: 1,
      },
    ],
    success_url: `${shopUrl}/bought`,
    cancel_url: `${shopUrl}/not`,
  });
  await page.goto(session.url ?? '');
  await page.locator('button[value=pay]').click();
  await backIn('/bought');
  const subscriptionOf = async () => (await bench.stripe.subscriptions.list({ customer: customer.id })).data[0];
  expect(await subscriptionOf()).toMatchObject({ status: 'active', cancel_at_period_end: false });

  const portal = await bench.stripe.billingPortal.sessions.create({ customer: customer.id, return_url: `${shopUrl}/` });
  await page.goto(portal.url);
  await page.getByRole('button', { name: 'Cancel subscription' }).click();
  await page.getByRole('button', { name: "Don't cancel" }).waitFor();
  expect(await subscriptionOf()).toMatchObject({ status: 'active', cancel_at_period_end: true });
});
