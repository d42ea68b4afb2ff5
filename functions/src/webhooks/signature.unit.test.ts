import Stripe from 'stripe';
import { looksThin, verifiedEvent, verifiedNotification } from './signature.ts';

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

  it('fits the old and the new secret while one is rolled, whichever of them Stripe signs with', () => {
    const [fresh = '', old = ''] = [sign('whsec_new'), sign('whsec_old')];
    const both = `${fresh},${old.split(',')[1] ?? ''}`;
    for (const header of [fresh, old, both]) {
      expect(verifiedEvent(stripe, body, header, ['whsec_new', 'whsec_old'])?.id).toBe('evt_1');
    }
    expect(verifiedEvent(stripe, body, old, ['whsec_new', 'unset'])).toBeUndefined();
  });

  it.each(['', ' ', 'unset', 'whsec_', 'whsec_ '])(
    'never verifies against %j, which anyone could sign with',
    (secret) => {
      const forge = () => stripe.webhooks.generateTestHeaderString({ payload: body.toString(), secret: secret || ' ' });
      expect(verifiedEvent(stripe, body, forge(), [secret])).toBeUndefined();
      expect(verifiedNotification(stripe, body, forge(), [secret])).toBeUndefined();
    },
  );
});

describe('thin notifications', () => {
  it('are told apart by what they say they are, and by nothing that is no JSON object', () => {
    expect(looksThin(Buffer.from('{"object":"v2.core.event"}'))).toBe(true);
    for (const text of ['{"object":"event"}', 'null', '[]', '"v2.core.event"', '{', '']) {
      expect(looksThin(Buffer.from(text))).toBe(false);
    }
  });
});
