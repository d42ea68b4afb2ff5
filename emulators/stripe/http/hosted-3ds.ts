/** The page on which a card's holder authenticates: two buttons, as on Stripe's own test page. */
import { decodeForm } from '../core/form.ts';
import type { World } from '../core/world.ts';
import { answerChallenge } from '../resources/challenge-answer.ts';
import { openChallenge } from '../resources/three-d-secure.ts';
import { html, redirect, sek } from './page.ts';
import type { Page } from './page.ts';

const MODE = '<span class="mode">Stripe emulator</span>';
const gone = () =>
  html(404, 'Not found', `${MODE}<h1>This authentication is over.</h1><p>Go back to the shop and try again.</p>`);

export function threeDSecure(world: World, token: string, request: { method: string; body: string }): Page {
  if (request.method === 'POST') {
    const { outcome } = decodeForm(request.body);
    if (outcome !== 'complete' && outcome !== 'fail') return form(world, token, 422);
    const to = answerChallenge(world, token, outcome === 'complete');
    if (to === undefined) return gone();
    return to === null ? html(200, 'Done', `${MODE}<h1>Done.</h1><p>You may close this page.</p>`) : redirect(to);
  }
  return form(world, token, 200);
}

function form(world: World, token: string, status: number): Page {
  const open = openChallenge(world, token);
  if (!open) return gone();
  const what = open.amount === null ? 'saving your card' : `a payment of ${sek(open.amount)}`;
  return html(
    status,
    '3D Secure',
    `${MODE}<h1>3D Secure</h1><p>Your bank asks you to confirm ${what}. Nothing here is real.</p>` +
      '<form method="post">' +
      '<button type="submit" name="outcome" value="complete">Complete</button>' +
      '<button type="submit" name="outcome" value="fail">Fail</button></form>',
  );
}
