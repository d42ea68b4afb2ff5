import Stripe from 'stripe';
import { verifiedEvent } from './signature.ts';

const stripe = new Stripe('sk_test_123');
const body = Buffer.from(
  JSON.stringify({ id: 'evt_1', object: 'event', type: 'payment_intent.succeeded', data: { object: {} } }),
);
const sign = (secret: string, timestamp = Math.floor(Date.now() / 1000)) =>
  stripe.webhooks.generateTestHeaderString({ payload: body.toString(), secret, timestamp });

describe('webhook signature', () => {
  it('fits either endpoint of the two', () => {
    for (const secret of ['whsec_platform', 'whsec_connect']) {
      expect(verifiedEvent(stripe, body, sign(secret), ['whsec_platform', 'whsec_connect'])?.id).toBe('evt_1');
    }
  });

  it.each([
    ['another secret', sign('whsec_other'), body],
    ['a changed body', sign('whsec_platform'), Buffer.from(body.toString().replace('evt_1', 'evt_2'))],
    ['a signature older than five minutes', sign('whsec_platform', Math.floor(Date.now() / 1000) - 301), body],
    ['no signature', '', body],
    ['nonsense', 't=1,v1=zz', body],
  ])('refuses %s', (_what, signature, payload) => {
    expect(verifiedEvent(stripe, payload, signature, ['whsec_platform'])).toBeUndefined();
  });

  it('never verifies against an empty secret, which anyone could sign with', () => {
    const forged = stripe.webhooks.generateTestHeaderString({ payload: body.toString(), secret: ' ' });
    expect(verifiedEvent(stripe, body, forged, ['', ' '])).toBeUndefined();
  });
});
