/** What a login link opens: the owner's view of an Express account, with its balance and its latest payouts. */
import { balanceOf } from '../core/balance.ts';
import type { World } from '../core/world.ts';
import { bookOf } from '../core/world.ts';
import { openLoginLink } from '../resources/account-sessions.ts';
import { escape, html } from './page.ts';
import type { Page } from './page.ts';

const kronor = (amount: number) => `${(amount / 100).toFixed(2)} SEK`;
const SHOWN = 20;

export function express(world: World, token: string): Page {
  const account = openLoginLink(world, token);
  if (!account) {
    return html(404, 'Not found', '<h1>This link has been used or has expired.</h1><p>Ask for a new one.</p>');
  }
  const book = bookOf(world, account.id);
  const { available, pending } = balanceOf(world, book);
  const payouts = [...book.payouts.walk()].slice(0, SHOWN);
  const rows = payouts.map(
    (each) =>
      `<dt>${new Date(each.arrival_date * 1000).toISOString().slice(0, 10)}, ${escape(each.status)}</dt>` +
      `<dd>${kronor(each.amount)}</dd>`,
  );
  const name = account.business_profile?.name ?? account.email ?? account.id;
  return html(
    200,
    'Express',
    `<span class="mode">Stripe emulator</span><h1>${escape(name)}</h1>` +
      `<dl><dt>Available</dt><dd>${kronor(available[0]?.amount ?? 0)}</dd>` +
      `<dt>On its way</dt><dd>${kronor(pending[0]?.amount ?? 0)}</dd></dl>` +
      `<h1>Payouts</h1><dl>${rows.length > 0 ? rows.join('') : '<dt>None yet</dt><dd></dd>'}</dl>`,
  );
}
