/** The pages Stripe hosts: onboarding, and the receipt of a charge. Plain HTML, no script. */
import type Stripe from 'stripe';
import { decodeForm } from '../core/form.ts';
import type { World } from '../core/world.ts';
import { ONBOARDING_FIELDS, openLink, submitLink } from '../resources/onboarding.ts';
import type { OnboardingForm } from '../resources/onboarding.ts';

export interface Page {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const html = (status: number, title: string, content: string): Page => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
  body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; color: #1a1f36; background: #f6f8fa; margin: 0; padding: 2rem 1rem; }
  main { max-width: 28rem; margin: 0 auto; background: #fff; border: 1px solid #e3e8ee; border-radius: 8px; padding: 1.5rem; }
  h1 { font-size: 1.25rem; margin: 0 0 .25rem; } p { margin: .25rem 0 1rem; color: #4f566b; }
  label { display: block; font-weight: 600; margin-top: .75rem; }
  input { width: 100%; box-sizing: border-box; font: inherit; padding: .5rem; border: 1px solid #8792a2; border-radius: 4px; }
  input[aria-invalid] { border-color: #b3093c; } .problem { color: #b3093c; margin: 0; }
  button { margin-top: 1.25rem; width: 100%; font: inherit; font-weight: 600; padding: .6rem; border: 0; border-radius: 4px; background: #533afd; color: #fff; cursor: pointer; }
  .mode { display: inline-block; font-size: .8rem; background: #fcedb9; color: #6b4a00; border-radius: 4px; padding: 0 .4rem; }
  dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; } dt { color: #4f566b; } dd { margin: 0; text-align: right; }
</style>
</head>
<body><main>${content}</main></body>
</html>`,
});

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const redirect = (to: string): Page => ({
  status: 303,
  headers: { location: to, 'cache-control': 'no-store' },
  body: '',
});

/** Answers a request for a hosted page; undefined when there is none at that path. */
export function hosted(world: World, request: { method: string; path: string; body: string }): Page | undefined {
  const [, , kind, id = '', rest] = request.path.split('/');
  if (rest !== undefined) return undefined;
  if (kind === 'onboarding' && (request.method === 'GET' || request.method === 'POST'))
    return onboarding(world, id, request);
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
  const charge = world.platform.charges.get(id);
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
