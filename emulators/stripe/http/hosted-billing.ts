/** Stripe's hosted pages of billing: Checkout, the customer portal, and an invoice with its PDF. */
import type Stripe from 'stripe';
import { StripeFailure } from '../core/errors.ts';
import { decodeForm } from '../core/form.ts';
import type { Invoice } from '../core/wire.ts';
import { bookOf } from '../core/world.ts';
import type { Book, World } from '../core/world.ts';
import { linesOfOrder, rhythmText } from '../resources/billing/checkout.ts';
import { pay, resumeSession, sessionAnywhere, takeCode } from '../resources/billing/checkout-pay.ts';
import { act, portalAt } from '../resources/billing/portal.ts';
import type { Portal } from '../resources/billing/portal.ts';
import { collect } from '../resources/billing/invoice-life.ts';
import { intentOfInvoice } from '../resources/billing/invoice-paid.ts';
import { TEST_CARDS } from '../resources/test-cards.ts';
import { escape, html, redirect, sek } from './page.ts';
import type { Page } from './page.ts';
import { pdf } from './pdf.ts';

interface Asked {
  method: string;
  body: string;
}

const MODE = '<span class="mode">Stripe emulator</span>';
const gone = (what: string): Page => html(404, 'Not found', `${MODE}<h1>There is no such ${what}.</h1>`);
const says = (text: string | undefined): string =>
  text === undefined ? '' : `<p class="problem" role="alert">${escape(text)}</p>`;

/** Answers `/_hosted/{checkout|portal|invoices}/...`; undefined when the path is none of them. */
export function hostedBilling(
  world: World,
  kind: string,
  id: string,
  rest: string | undefined,
  asked: Asked,
): Page | undefined {
  if (asked.method !== 'GET' && asked.method !== 'POST') return undefined;
  if (kind === 'checkout' && rest === undefined) return checkout(world, id, asked);
  if (kind === 'portal' && rest === undefined) return portal(world, id, asked);
  if (kind === 'invoices' && (rest === undefined || (rest === 'pdf' && asked.method === 'GET')))
    return invoicePage(world, id, rest === 'pdf', asked);
  return undefined;
}

function fields(body: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(decodeForm(body)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

const cardChoice = (): string =>
  '<label for="card">Test card</label><select id="card" name="card">' +
  Object.entries(TEST_CARDS)
    .map(([token, card]) => `<option value="${token}">${escape(token)} (…${card.last4})</option>`)
    .join('') +
  '</select>';

function checkout(world: World, id: string, asked: Asked): Page {
  const found = sessionAnywhere(world, id);
  if (!found) return gone('payment page');
  const { book } = found;
  const resumed = resumeSession(world, book, id);
  if (resumed?.kind === 'goes') return redirect(resumed.url);
  const session = book.billing.checkoutSessions.get(id)!;
  if (session.status !== 'open')
    return html(
      410,
      'Expired',
      `${MODE}<h1>This payment page has expired.</h1><p>Go back to the shop and try again.</p>`,
    );
  if (asked.method === 'GET') return checkoutForm(book, session, 200, resumed?.text);
  const { action = '', card = '', email = '', code = '' } = fields(asked.body);
  if (action === 'cancel' && session.cancel_url !== null)
    return redirect(session.cancel_url.replaceAll('{CHECKOUT_SESSION_ID}', id));
  if (action === 'code') {
    const problem = takeCode(world, book, id, code);
    return checkoutForm(book, book.billing.checkoutSessions.get(id)!, problem === undefined ? 200 : 422, problem);
  }
  if (action !== 'pay') return checkoutForm(book, session, 422, 'Choose a card and pay, or cancel.');
  const outcome = pay(world, book, id, { method: card, email });
  return outcome.kind === 'goes' ? redirect(outcome.url) : checkoutForm(book, session, 402, outcome.text);
}

function checkoutForm(book: Book, session: Stripe.Checkout.Session, status: number, problem?: string): Page {
  const order = book.billing.orders.get(session.id)!;
  const lines = linesOfOrder(book, order)
    .map((line, i) => {
      const rhythm = rhythmText(order.prices[i]!.price);
      return `<dt>${escape(line.description ?? '')} × ${line.quantity}</dt><dd>${sek(line.amount_total)}${escape(rhythm)}</dd>`;
    })
    .join('');
  const total =
    session.amount_total === null ? '' : `<dt><strong>Total today</strong></dt><dd>${sek(session.amount_total)}</dd>`;
  const email =
    order.email === null
      ? '<label for="email">Email</label><input id="email" name="email" type="email" autocomplete="email" required>'
      : `<p>${escape(order.email)}</p>`;
  const code =
    session.allow_promotion_codes === true
      ? '<form method="post"><label for="code">Promotion code</label><input id="code" name="code">' +
        '<button type="submit" name="action" value="code">Apply</button></form>'
      : '';
  const verb = session.mode === 'payment' ? 'Pay' : session.mode === 'setup' ? 'Save card' : 'Subscribe';
  const cancel =
    session.cancel_url === null
      ? ''
      : '<form method="post"><button type="submit" name="action" value="cancel">Cancel</button></form>';
  return html(
    status,
    'Checkout',
    `${MODE}<h1>Checkout</h1><p>Nothing here is real.</p>${says(problem)}<dl>${lines}${total}</dl>${code}` +
      `<form method="post">${email}${cardChoice()}<button type="submit" name="action" value="pay">${verb}</button></form>${cancel}`,
  );
}

function portal(world: World, link: string, asked: Asked): Page {
  const found = portalAt(world, link);
  if (!found) return gone('portal link, or its hour is over');
  if (asked.method === 'GET') return portalPage(found, 200);
  const { action = '', subscription = '', card = '' } = fields(asked.body);
  const problem = act(world, found, { action, subscription, method: card });
  return problem === undefined ? redirect(found.session.url) : portalPage(found, 422, problem);
}

const date = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);

function portalPage(found: Portal, status: number, problem?: string): Page {
  const { book, session, configuration, customer, subscriptions } = found;
  const { subscription_cancel: cancel, payment_method_update: card, invoice_history: history } = configuration.features;
  const method = book.paymentMethods.get((customer.invoice_settings.default_payment_method as string | null) ?? '');
  const blocks = subscriptions.map((each) => {
    const names = each.items.data.map((item) => book.products.get(item.price.product as string)?.name ?? item.price.id);
    const end = each.items.data[0]!.current_period_end;
    const until = each.cancel_at === null ? `Renews on ${date(end)}` : `Ends on ${date(each.cancel_at)}`;
    const action = each.cancel_at === null ? 'cancel' : 'resume';
    const button = cancel.enabled
      ? `<form method="post"><input type="hidden" name="subscription" value="${escape(each.id)}">` +
        `<button type="submit" name="action" value="${action}">${action === 'cancel' ? 'Cancel subscription' : "Don't cancel"}</button></form>`
      : '';
    return `<section><h2>${escape(names.join(', '))}</h2><p>${escape(String(each.status))}. ${until}.</p>${button}</section>`;
  });
  const cards = card.enabled
    ? `<section><h2>Payment method</h2><p>${method?.card ? `${escape(method.card.brand)} …${escape(method.card.last4)}` : 'None yet.'}</p>` +
      `<form method="post">${cardChoice()}<button type="submit" name="action" value="card">Change card</button></form></section>`
    : '';
  const invoices = history.enabled
    ? book.invoices
        .values()
        .filter((each) => each.customer === customer.id && each.hosted_invoice_url)
        .map(
          (each) =>
            `<li><a href="${escape(each.hosted_invoice_url!)}">${escape(each.number ?? each.id)}</a> ${sek(each.total)} ${escape(String(each.status))}</li>`,
        )
        .join('')
    : '';
  const back = session.return_url === null ? '' : `<p><a href="${escape(session.return_url)}">Return</a></p>`;
  return html(
    status,
    'Your subscriptions',
    `${MODE}<h1>Your subscriptions</h1><p>${escape(customer.email ?? customer.id)}</p>${says(problem)}${blocks.join('')}${cards}` +
      `${invoices === '' ? '' : `<h2>Invoices</h2><ul>${invoices}</ul>`}${back}`,
  );
}

function invoiceAnywhere(world: World, id: string): { book: Book; invoice: Invoice } | undefined {
  for (const account of [world.platform.account, ...world.books.keys()]) {
    const book = bookOf(world, account);
    const invoice = book.invoices.get(id);
    if (invoice && invoice.status !== 'draft') return { book, invoice };
  }
  return undefined;
}

function invoicePage(world: World, id: string, asPdf: boolean, asked: Asked): Page {
  const found = invoiceAnywhere(world, id);
  if (!found) return gone('invoice');
  const { book, invoice } = found;
  if (asPdf) return { status: 200, headers: { 'content-type': 'application/pdf' }, body: pdf(textOf(invoice)) };
  if (asked.method === 'GET') return invoiceView(invoice, 200);
  if (invoice.status !== 'open') return invoiceView(invoice, 409, 'This invoice is not open.');
  try {
    collect(world, book, invoice, {
      method: fields(asked.body).card,
      automatic: false,
      offSession: false,
      returnUrl: invoice.hosted_invoice_url!,
    });
  } catch (error) {
    if (!(error instanceof StripeFailure)) throw error;
    return invoiceView(book.invoices.get(id)!, 402, error.message);
  }
  const url = intentOfInvoice(book, invoice)?.next_action?.redirect_to_url?.url;
  return redirect(url ?? invoice.hosted_invoice_url!);
}

const textOf = (invoice: Invoice): string[] => [
  `Invoice ${invoice.number ?? invoice.id} (Stripe emulator, nothing here is real)`,
  `Date ${date(invoice.status_transitions.finalized_at ?? invoice.created)}`,
  `To ${invoice.customer_name ?? ''} ${invoice.customer_email ?? ''}`.trim(),
  '',
  ...invoice.lines.data.map((line) => `${line.description}   ${sek(line.amount)}`),
  '',
  `Subtotal ${sek(invoice.subtotal)}`,
  `Total ${sek(invoice.total)}`,
  `Amount due ${sek(invoice.amount_due)}   ${String(invoice.status)}`,
];

function invoiceView(invoice: Invoice, status: number, problem?: string): Page {
  const lines = invoice.lines.data
    .map((line) => `<dt>${escape(line.description ?? '')}</dt><dd>${sek(line.amount)}</dd>`)
    .join('');
  const form =
    invoice.status === 'open'
      ? `<form method="post">${cardChoice()}<button type="submit" name="action" value="pay">Pay ${sek(invoice.amount_remaining)}</button></form>`
      : '';
  return html(
    status,
    'Invoice',
    `${MODE}<h1>Invoice ${escape(invoice.number ?? '')}</h1><p>${escape(String(invoice.status))}</p>${says(problem)}<dl>${lines}` +
      `<dt><strong>Total</strong></dt><dd>${sek(invoice.total)}</dd></dl><p><a href="${escape(invoice.invoice_pdf ?? '')}">PDF</a></p>${form}`,
  );
}
