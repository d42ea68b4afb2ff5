/** The pages Stripe hosts: onboarding, and the receipt of a charge. Plain HTML, no script. */
import type Stripe from 'stripe';
import { decodeForm } from '../core/form.ts';
import type { World } from '../core/world.ts';
import { ONBOARDING_FIELDS, openLink, submitLink } from '../resources/onboarding.ts';
import type { OnboardingForm } from '../resources/onboarding.ts';
import { express } from './hosted-express.ts';
import { hostedBilling } from './hosted-billing.ts';
import { threeDSecure } from './hosted-3ds.ts';
import { escape, html, redirect } from './page.ts';
import type { Page } from './page.ts';

/** Answers a request for a hosted page; undefined when there is none at that path. */
export function hosted(world: World, request: { method: string; path: string; body: string }): Page | undefined {
  const [, , kind, id = '', rest] = request.path.split('/');
  const billing = hostedBilling(world, kind ?? '', id, rest, request);
  if (billing || rest !== undefined) return billing;
  if (kind === 'onboarding' && (request.method === 'GET' || request.method === 'POST'))
    return onboarding(world, id, request);
  if (kind === 'express' && request.method === 'GET') return express(world, id);
  if (kind === '3ds' && (request.method === 'GET' || request.method === 'POST'))
    return threeDSecure(world, id, request);
  if (kind === 'receipts' && request.method === 'GET') return receipt(world, id);
  return undefined;
}

function onboarding(world: World, token: string, request: { method: string; body: string }): Page {
  const gone = () => html(404, 'Not found', '<h1>There is no such link.</h1><p>Ask for a new one.</p>');
  if (request.method === 'GET') {
    const opened = openLink(world, token);
    if (!opened) return gone();
    return 'redirect' in opened
      ? redirect(opened.redirect)
      : form(opened.form, { email: opened.form.email ?? '' }, {}, 200);
  }
  const sent = Object.fromEntries(
    Object.entries(decodeForm(request.body)).filter(([, value]) => typeof value === 'string'),
  );
  const given = sent as Partial<Record<keyof OnboardingForm, string>>;
  const result = submitLink(world, token, given);
  if (!result) return gone();
  return 'redirect' in result ? redirect(result.redirect) : form(result.account, given, result.problems, 422);
}

const LABELS: Readonly<
  Record<keyof OnboardingForm, { label: string; type: string; hint?: string; autocomplete: string }>
> = {
  firstName: { label: 'First name', type: 'text', autocomplete: 'given-name' },
  lastName: { label: 'Last name', type: 'text', autocomplete: 'family-name' },
  email: { label: 'Email', type: 'email', autocomplete: 'email' },
  phone: { label: 'Phone', type: 'tel', autocomplete: 'tel' },
  birthDate: { label: 'Date of birth', type: 'date', hint: 'YYYY-MM-DD', autocomplete: 'bday' },
  street: { label: 'Street', type: 'text', autocomplete: 'street-address' },
  postalCode: { label: 'Postal code', type: 'text', autocomplete: 'postal-code' },
  city: { label: 'City', type: 'text', autocomplete: 'address-level2' },
  iban: {
    label: 'IBAN of your Swedish bank account',
    type: 'text',
    hint: 'SE35 5000 0000 0549 1000 0003',
    autocomplete: 'off',
  },
};

function form(
  account: Stripe.Account,
  given: Partial<Record<keyof OnboardingForm, string>>,
  problems: Record<string, string>,
  status: number,
): Page {
  const fields = ONBOARDING_FIELDS.map((name) => {
    const { label, type, hint, autocomplete } = LABELS[name];
    const problem = problems[name];
    const wrong = problem === undefined ? '' : ` aria-invalid="true" aria-describedby="${name}-problem"`;
    const why = problem === undefined ? '' : `<p class="problem" id="${name}-problem">${escape(problem)}</p>`;
    return (
      `<label for="${name}">${label}</label>` +
      `<input id="${name}" name="${name}" type="${type}" value="${escape(given[name] ?? '')}" placeholder="${hint ?? ''}" ` +
      `autocomplete="${autocomplete}" required${wrong}>${why}`
    );
  });
  const name = account.business_profile?.name ?? account.email ?? account.id;
  return html(
    status,
    'Get paid',
    `<span class="mode">Stripe emulator</span><h1>Get paid by Inner Journey</h1><p>For ${escape(name)}. Nothing here is real.</p>` +
      `<form method="post">${fields.join('')}<button type="submit">Agree and submit</button></form>`,
  );
}

function receipt(world: World, id: string): Page {
  const charge = world.index.get(id)?.get(id) as Stripe.Charge | undefined;
  if (!charge?.paid) return html(404, 'Not found', '<h1>There is no such receipt.</h1>');
  const kronor = (charge.amount / 100).toFixed(2);
  const day = new Date(charge.created * 1000).toISOString().slice(0, 10);
  const card = charge.payment_method_details?.card;
  return html(
    200,
    'Receipt',
    `<span class="mode">Stripe emulator</span><h1>Receipt</h1><p>${escape(charge.description ?? 'Payment to Inner Journey')}</p>` +
      `<dl><dt>Amount paid</dt><dd>${kronor} SEK</dd><dt>Date</dt><dd>${day}</dd>` +
      `<dt>Card</dt><dd>${escape(card?.brand ?? '')} ${escape(card?.last4 ?? '')}</dd><dt>Charge</dt><dd>${escape(charge.id)}</dd></dl>`,
  );
}
