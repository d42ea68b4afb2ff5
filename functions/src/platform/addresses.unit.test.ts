import { requireAllowedAddress } from './addresses.ts';

const allowed = ['https://app.example', 'http://localhost:5000', 'http://127.0.0.1:5000', 'http://app.example'];

describe('addresses that Stripe sends people back to', () => {
  it.each(['https://app.example/coach?x=1', 'http://localhost:5000/return', 'http://127.0.0.1:5000/'])(
    'may be the app itself: %s',
    (address) => {
      expect(requireAllowedAddress('returnUrl', address, allowed)).toBe(address);
    },
  );

  it.each([
    'https://evil.example/',
    'https://app.example.evil.example/',
    'https://app.example@evil.example/',
    'https://user:secret@app.example/',
    'https://app.example:8443/',
    'http://app.example/',
    'http://localhost:5001/',
    'javascript:alert(1)',
    '//app.example/',
    '/coach',
    '',
  ])('may not be another place: %s', (address) => {
    let refusal: unknown;
    try {
      requireAllowedAddress('returnUrl', address, allowed);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ code: 'invalid-argument', reason: 'address-not-allowed' });
  });
});
