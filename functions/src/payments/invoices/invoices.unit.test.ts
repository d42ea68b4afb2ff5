import * as fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { hours } from '../../platform/clock.ts';
import { minor } from '../../platform/money.ts';
import { badCard, openSubscriber, type Subscriber } from '../../testing/subscriber.ts';
import { resumeCommands } from '../recovery.service.ts';
import { mergeInvoice, type Invoice, type InvoiceStatus } from './invoices.ts';
import { sendInvoice } from './invoices.service.ts';

const admin = { uid: 'anna', coach: false, admin: true };

let world: Subscriber;

beforeAll(async () => {
  world = await openSubscriber();
});

afterAll(() => world.close());
afterEach(() => world.clearFaults());

const invoices = () => world.all<Invoice>('invoices');
const read = (id: string) => world.read<Invoice>(`invoices/${id}`);
const sent = async (id: string) =>
  (await world.control<{ data: Stripe.Event[] }>('stripe', 'events')).data.filter(
    ({ type, data }) => type === 'invoice.sent' && data.object.id === id,
  ).length;
const send = (invoiceId: string, requestId: string) => sendInvoice(world.ctx, admin, { invoiceId, requestId });

async function billed(): Promise<string> {
  const { id } = await world.stripe.invoices.create({
    customer: world.customer,
    collection_method: 'send_invoice',
    days_until_due: 14,
  });
  await world.stripe.invoiceItems.create({ customer: world.customer, invoice: id, amount: 12_500, currency: 'sek' });
  await world.stripe.invoices.finalizeInvoice(id);
  await world.hear();
  return id;
}

it('a subscription’s invoices are its customer’s: number, page, PDF, period', async () => {
  const { subscriptionId } = await world.subscribe('premium');
  await world.hear();
  const [invoice] = (await invoices()).filter((each) => each.subscriptionId === subscriptionId);
  expect(invoice).toMatchObject({ userId: 'eva', status: 'paid', amount: 99, amountMinor: 9_900, currency: 'SEK' });
  expect(invoice).toMatchObject({ amountPaidMinor: 9_900, amountRemainingMinor: 0, attemptCount: 1 });
  expect(invoice?.number).toMatch(/./);
  expect([invoice?.hostedUrl, invoice?.pdfUrl].map((url) => url?.slice(0, 4))).toEqual(['http', 'http']);
  const days = ((invoice?.periodEnd.toMillis() ?? 0) - (invoice?.periodStart.toMillis() ?? 0)) / 86_400_000;
  expect(Math.round(days)).toBeGreaterThanOrEqual(28);
});

it('one made in the dashboard is its customer’s, too; one of nobody’s is for administrators only', async () => {
  const id = await billed();
  expect(await read(id)).toMatchObject({ userId: 'eva', status: 'open', amountMinor: 12_500 });
  const stranger = await world.stripe.customers.create({ name: 'Nobody' });
  const other = await world.stripe.invoices.create({ customer: stranger.id });
  await world.hear();
  expect(await read(other.id)).toMatchObject({ userId: null, status: 'draft' });
  await world.stripe.invoices.del(other.id);
  await world.hear();
  expect(await read(other.id)).toMatchObject({ status: 'deleted' });
});

it('a void one stays void', async () => {
  const id = await billed();
  await world.stripe.invoices.voidInvoice(id);
  await world.hear();
  expect(await read(id)).toMatchObject({ status: 'void' });
  await expect(send(id, 'send-void')).rejects.toMatchObject({ reason: 'invoice-not-sendable' });
});

describe('sendInvoice', () => {
  it('has Stripe mail it once, however often the request comes', async () => {
    const id = await billed();
    const replies = await Promise.all([send(id, 'send-once'), send(id, 'send-once')]);
    expect(replies).toEqual([
      { invoiceId: id, sentBy: 'stripe' },
      { invoiceId: id, sentBy: 'stripe' },
    ]);
    expect(await sent(id)).toBe(1);
    await world.hear();
    expect((await read(id))?.sentAt).toBeInstanceOf(Timestamp);
    expect(await world.read('auditLog/sendInvoice_anna_send-once')).toMatchObject({ subject: `invoices/${id}` });
    await expect(send('in_other', 'send-once')).rejects.toMatchObject({ reason: 'request-id-reused' });
    await expect(send('in_other', 'send-other')).rejects.toMatchObject({ reason: 'invoice-not-found' });
  });

  it('writes a letter for one that Stripe charges by itself', async () => {
    const [paid] = (await invoices()).filter(({ subscriptionId }) => subscriptionId);
    const found = (await world.ctx.db.collection('invoices').where('number', '==', paid?.number).get()).docs[0];
    expect(await send(found?.id ?? '', 'send-letter')).toMatchObject({ sentBy: 'letter' });
    const letter = await world.read<{ toUids: string[]; message: { text: string } }>(
      'mail/sendInvoice_anna_send-letter',
    );
    expect(letter?.toUids).toEqual(['eva']);
    expect(letter?.message.text).toContain(paid?.hostedUrl ?? '-');
    expect(await sent(found?.id ?? '')).toBe(0);
  });

  it('whose answer is lost is finished by the sweep with one mail', async () => {
    const id = await billed();
    await world.fault('timeout_after_success', `/v1/invoices/${id}/send`, { times: 9 });
    await expect(send(id, 'send-lost')).rejects.toMatchObject({ reason: 'outcome-unknown' });
    await world.clearFaults();
    await world.advance(hours(1));
    expect(await resumeCommands(world.ctx, world.now())).toMatchObject({ resumed: 1 });
    expect(await sent(id)).toBe(1);
  });

  it('is not asked again when Stripe has forgotten the key; the event says whether it was done', async () => {
    const [done, undone] = [await billed(), await billed()];
    await world.fault('timeout_after_success', `/v1/invoices/${done}/send`, { times: 9 });
    await world.fault('timeout_before', `/v1/invoices/${undone}/send`, { times: 9 });
    await expect(send(done, 'send-done')).rejects.toMatchObject({ reason: 'outcome-unknown' });
    await expect(send(undone, 'send-undone')).rejects.toMatchObject({ reason: 'outcome-unknown' });
    await world.clearFaults();
    await world.hear();
    await world.advance(hours(24));
    expect(await send(done, 'send-done')).toEqual({ invoiceId: done, sentBy: 'stripe' });
    await expect(send(undone, 'send-undone')).rejects.toMatchObject({ reason: 'request-expired' });
    expect([await sent(done), await sent(undone)]).toEqual([1, 0]);
  });
});

it('a failing renewal shows in its invoice', async () => {
  const { subscriptionId } = await world.subscribe('plus');
  await world.hear();
  await world.useCard(subscriptionId, badCard);
  await world.pass({ months: 1 });
  await world.pass({ days: 1 });
  await world.hear();
  const open = (await invoices()).filter((each) => each.subscriptionId === subscriptionId && each.status === 'open');
  expect(open).toMatchObject([{ userId: 'eva', amountPaidMinor: 0, attemptCount: 1 }]);
  expect(open[0]?.nextAttemptAt).toBeInstanceOf(Timestamp);
});

describe('mergeInvoice', () => {
  const statuses: InvoiceStatus[] = ['draft', 'open', 'uncollectible', 'void', 'paid', 'deleted'];
  const state = fc
    .record({
      status: fc.constantFrom(...statuses),
      paid: fc.integer({ min: 0, max: 2 }),
      attempts: fc.integer({ min: 0, max: 2 }),
      second: fc.integer({ min: 1, max: 3 }),
      eventId: fc.constantFrom('evt_a', 'evt_b', 'evt_c'),
      sent: fc.boolean(),
      erased: fc.boolean(),
    })
    .map(({ status, paid, attempts, second, eventId, sent: mailed, erased }): Invoice => {
      const at = Timestamp.fromMillis(second * 1000);
      const money = { amount: 1, amountMinor: minor(100), currency: 'SEK', amountDueMinor: minor(100) };
      return {
        ...{ userId: null, status, ...money, amountPaidMinor: minor(paid), amountRemainingMinor: minor(100 - paid) },
        ...{ collectionMethod: 'send_invoice', attemptCount: attempts, told: { at, eventId } },
        ...{ periodStart: at, periodEnd: at, createdAt: Timestamp.fromMillis(0), ...(mailed ? { sentAt: at } : {}) },
        ...(erased ? { erased: true } : { hostedUrl: 'https://invoice', pdfUrl: 'https://pdf', description: 'Eva' }),
      };
    });
  const end = (states: Invoice[]) =>
    states.reduce<Invoice | undefined>((known, told) => mergeInvoice(known, told), undefined);
  const shown = (invoice: Invoice | undefined) => {
    if (!invoice) return undefined;
    const { told, status, amountPaidMinor: paid, sentAt, erased, hostedUrl, pdfUrl, description } = invoice;
    return { ...told, status, paid, sentAt, erased, pages: [hostedUrl, pdfUrl, description] };
  };

  it('ends the same in any order and however often a state is told', () => {
    fc.assert(
      fc.property(
        fc
          .array(state, { minLength: 1, maxLength: 6 })
          .chain((states) =>
            fc.tuple(
              fc.constant(states),
              fc.shuffledSubarray([...states, ...states], { minLength: states.length * 2 }),
            ),
          ),
        ([states, shuffled]) => {
          expect(shown(end(shuffled))).toEqual(shown(end(states)));
          if (states.some(({ erased }) => erased)) expect(JSON.stringify(end(shuffled))).not.toMatch(/https|Eva/);
        },
      ),
    );
  });
});
