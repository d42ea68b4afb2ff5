/** The stand-in for Stripe.js in a real browser, on a page of another origin that uses it as a shop does. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { newAccount, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let browser: Browser;
let shop: Server;
let shopUrl: string;
let page: Page;

/** A checkout page: `window.pay` runs what a test gives it, and what comes of it is shown. */
const shopPage = (scriptUrl: string) => `<!doctype html><title>Shop</title>
<div id="payment"></div><button>Pay</button><output></output>
<script src="${scriptUrl}"></script>
<script>
  document.querySelector('button').addEventListener('click', async () => {
    const result = await window.pay();
    window.result = result;
    document.querySelector('output').textContent = result.error ? result.error.message : 'Thank you';
  });
</script>`;

beforeAll(async () => {
  bench = await startBench();
  shop = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(request.url === '/' ? shopPage(`${bench.emulator.url}/stripe.js`) : '<h1>Welcome back</h1>');
  });
  await new Promise<void>((listening) => shop.listen(0, '127.0.0.1', listening));
  shopUrl = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`;
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
}, 60_000);

beforeEach(async () => {
  page = await browser.newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(shopUrl);
});

afterEach(() => page.close());

afterAll(async () => {
  await browser.close();
  await bench.close();
  await new Promise((closed) => shop.close(closed));
});

/** Shows the payment element of the intent; Pay calls `confirmation`, a JavaScript expression. */
async function checkout(secret: string | null, confirmation: string, options = '{}'): Promise<void> {
  const ready = page.evaluate<string>(`new Promise((done, failed) => {
    const stripe = window.Stripe('pk_test_shop', ${options});
    const clientSecret = ${JSON.stringify(secret)};
    const elements = stripe.elements({ clientSecret });
    const element = elements.create('payment');
    window.changes = [];
    element.on('ready', () => done('ready')).on('loaderror', (event) => done(event.error.code));
    element.on('change', (event) => window.changes.push(event.complete));
    element.mount('#payment');
    window.pay = () => ${confirmation};
  })`);
  expect(await ready).toBe('ready');
}

const pay = () => page.getByRole('button', { name: 'Pay' }).click();
const choose = (number: string) => page.getByLabel('Test card').selectOption(number);
const shown = (text: string) => page.locator('output', { hasText: text }).waitFor();
const result = () => page.evaluate<Record<string, unknown>>('window.result');
const newIntent = (more: object = {}) =>
  bench.stripe.paymentIntents.create({ amount: 49_900, currency: 'sek', ...more });
const RETURN = () => `{ elements, confirmParams: { return_url: '${shopUrl}/paid' }`;

it.each(['/stripe.js', '/endive/stripe.js', '/v3', '/v3/', '/v3/stripe.js'])('is served at %s', async (path) => {
  const response = await fetch(`${bench.emulator.url}${path}`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^application\/javascript/);
});

it('pays with a card that is typed in, and says when the form is complete', async () => {
  const intent = await newIntent();
  await checkout(intent.client_secret, `stripe.confirmPayment(${RETURN()}, redirect: 'if_required' })`);
  await pay();
  await shown('Your card number is incomplete.');
  expect(await result()).toEqual({
    error: { type: 'validation_error', code: 'incomplete_number', message: 'Your card number is incomplete.' },
  });
  await page.getByLabel('Card number').fill('4242 4242 4242 4242');
  await page.getByLabel('Expiration date').fill('12 / 40');
  await page.getByLabel('Security code').fill('123');
  expect(await page.evaluate('window.changes')).toEqual([false, false, true]);
  await pay();
  await shown('Thank you');
  expect(await result()).toMatchObject({ paymentIntent: { id: intent.id, status: 'succeeded', amount: 49_900 } });
  expect((await bench.stripe.paymentIntents.retrieve(intent.id)).status).toBe('succeeded');
});

it('goes to the return_url after a payment unless told otherwise', async () => {
  const intent = await newIntent();
  await checkout(intent.client_secret, `stripe.confirmPayment(${RETURN()} })`);
  await choose('4242424242424242');
  await pay();
  await page.waitForURL(/\/paid/);
  expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({
    payment_intent: intent.id,
    payment_intent_client_secret: intent.client_secret,
    redirect_status: 'succeeded',
  });
});

it('gives a decline as an error with the intent, and the next card pays', async () => {
  const intent = await newIntent();
  await checkout(intent.client_secret, `stripe.confirmPayment(${RETURN()}, redirect: 'if_required' })`);
  await choose('4000000000009995');
  await pay();
  await shown('Your card has insufficient funds.');
  expect(await result()).toMatchObject({
    error: {
      type: 'card_error',
      code: 'card_declined',
      decline_code: 'insufficient_funds',
      message: 'Your card has insufficient funds.',
      payment_intent: { id: intent.id, status: 'requires_payment_method' },
    },
  });
  await choose('4242424242424242');
  await pay();
  await shown('Thank you');
});

it.each([
  ['Complete', 'succeeded', 'succeeded'],
  ['Fail', 'failed', 'requires_payment_method'],
])('3D Secure by redirect: %s comes back %s', async (button, redirectStatus, status) => {
  const intent = await newIntent();
  await checkout(intent.client_secret, `stripe.confirmPayment(${RETURN()} })`);
  await choose('4000002760003184');
  await pay();
  await page.getByRole('button', { name: button }).click();
  await page.waitForURL(/\/paid/);
  expect(new URL(page.url()).searchParams.get('redirect_status')).toBe(redirectStatus);
  await page.goto(shopUrl);
  const found = await page.evaluate(`window.Stripe('pk_test_shop').retrievePaymentIntent('${intent.client_secret}')`);
  expect(found).toMatchObject({ paymentIntent: { id: intent.id, status } });
});

it.each([
  ['Complete', 'Thank you', { paymentIntent: { status: 'succeeded' } }],
  ['Fail', 'failed authentication', { error: { code: 'payment_intent_authentication_failure' } }],
])('3D Secure in a dialog where there is no return_url: %s', async (button, text, expected) => {
  const intent = await newIntent();
  await page.evaluate(`{
    const stripe = window.Stripe('pk_test_shop');
    window.pay = () => stripe.confirmCardPayment('${intent.client_secret}', { payment_method: 'pm_card_authenticationRequired' });
  }`);
  await pay();
  await page.frameLocator('iframe').getByRole('button', { name: button }).click();
  await shown(text);
  expect(await result()).toMatchObject(expected);
  expect(await page.locator('dialog').count()).toBe(0);
});

it('handleNextAction goes to the page of an intent that a server confirmed', async () => {
  const intent = await newIntent({
    payment_method: 'pm_card_authenticationRequired',
    confirm: true,
    return_url: `${shopUrl}/paid`,
  });
  await page.evaluate(
    `window.pay = () => window.Stripe('pk_test_shop').handleNextAction({ clientSecret: '${intent.client_secret}' })`,
  );
  await pay();
  await page.getByRole('button', { name: 'Complete' }).click();
  await page.waitForURL(/redirect_status=succeeded/);
});

it('saves a card by a SetupIntent', async () => {
  const customer = await bench.stripe.customers.create({ email: 'lisa@example.se' });
  const intent = await bench.stripe.setupIntents.create({ customer: customer.id });
  await checkout(intent.client_secret, `stripe.confirmSetup(${RETURN()}, redirect: 'if_required' })`);
  await choose('5555555555554444');
  await pay();
  await shown('Thank you');
  expect(await result()).toMatchObject({ setupIntent: { id: intent.id, status: 'succeeded' } });
  const saved = await bench.stripe.customers.listPaymentMethods(customer.id);
  expect(saved.data.map((method) => method.card?.last4)).toEqual(['4444']);
  const found = await page.evaluate(`window.Stripe('pk_test_shop').retrieveSetupIntent('${intent.client_secret}')`);
  expect(found).toMatchObject({ setupIntent: { status: 'succeeded' } });
});

it('an intent made after the element was shown must have its amount', async () => {
  const intents = await Promise.all([newIntent(), newIntent({ amount: 50_000 })]);
  const [good, bad] = intents.map((intent) => intent.client_secret);
  await page.evaluate(`{
    window.stripe = window.Stripe('pk_test_shop');
    window.elements = stripe.elements({ mode: 'payment', amount: 49900, currency: 'sek' });
    elements.create('payment').mount(document.querySelector('#payment'));
    window.confirm = (clientSecret) => stripe.confirmPayment({ elements, clientSecret, redirect: 'if_required' });
  }`);
  await choose('4242424242424242');
  await expect(page.evaluate(`confirm('${good}')`)).rejects.toThrow('elements.submit() must be called');
  expect(await page.evaluate('elements.submit()')).toEqual({ selectedPaymentMethod: 'card' });
  await expect(page.evaluate(`confirm('${bad}')`)).rejects.toThrow('amount of elements() is 49900');
  expect(await page.evaluate(`confirm('${good}')`)).toMatchObject({ paymentIntent: { status: 'succeeded' } });
});

it('sends stripeAccount: an intent of the platform is not found on an account', async () => {
  const intent = await newIntent();
  const account = await newAccount(bench.stripe);
  const found = await page.evaluate(
    `window.Stripe('pk_test_shop', { stripeAccount: '${account.id}' }).retrievePaymentIntent('${intent.client_secret}')`,
  );
  expect(found).toMatchObject({ error: { code: 'resource_missing' } });
});

it('refuses what it has not, and lets go of an element that is destroyed', async () => {
  const has = (expression: string) => page.evaluate(`{ const stripe = window.Stripe('pk_test_shop'); ${expression} }`);
  const none = "the Stripe emulator's stand-in for Stripe.js has no ";
  await expect(has('stripe.paymentRequest({})')).rejects.toThrow(`${none}stripe.paymentRequest`);
  await expect(has("stripe.createToken('iban')")).rejects.toThrow(`${none}stripe.createToken`);
  await expect(has("stripe.elements({ mode: 'setup' }).create('card')")).rejects.toThrow(`${none}the element 'card'`);
  await expect(has("stripe.elements({ mode: 'setup', fancy: 1 })")).rejects.toThrow(
    `${none}'fancy' in elements(options)`,
  );
  await expect(page.evaluate("window.Stripe('sk_test_oops')")).rejects.toThrow('never belongs in a browser');
  await has(`
    window.elements = stripe.elements({ mode: 'setup' });
    const element = elements.create('payment');
    element.mount('#payment');
    element.unmount();
    element.mount('#payment');
    element.destroy();
  `);
  expect(
    await page.evaluate("[elements.getElement('payment'), document.querySelector('#payment').childElementCount]"),
  ).toEqual([null, 0]);
});
