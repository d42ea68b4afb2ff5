import { callers, entrance, idToken, signedIn, withRole, type Entrance } from './entrance.ts';
import { operations } from './operations.ts';

export { callers, type CallerKind, type Entrance } from './entrance.ts';

/** Every way in and who may use it, written down apart from the code, so that the two can be held against each other. */

const payment = { productId: 'programme', requestId: 'a-payment-1', paymentMethodId: 'pm_card_visa' };
const ours = 'http://127.0.0.1:5000';
const refund = { paymentId: 'pi_none', amountMinor: 100, reason: 'Asked for' };

const page = {
  mode: 'payment',
  productId: 'programme',
  successUrl: `${ours}/done`,
  cancelUrl: `${ours}/back`,
  locale: 'sv',
  allowPromotionCodes: false,
};

const callables: readonly Entrance[] = [
  entrance('processPayment', 'callable', {
    allowed: signedIn,
    input: { ...payment, savePaymentMethod: true },
    optional: ['paymentMethodId', 'savePaymentMethod'],
  }),
  entrance('createOrder', 'callable', {
    allowed: signedIn,
    input: { items: [{ productId: 'programme', quantity: 1 }], kind: 'order', requestId: 'an-order-1' },
    optional: ['kind'],
  }),
  entrance('cancelOrder', 'callable', {
    allowed: signedIn,
    input: { orderId: 'order1', requestId: 'an-order-cancel-1' },
  }),
  entrance('bookSession', 'callable', {
    allowed: signedIn,
    input: { productId: 'hour', startsAt: '2026-12-01T09:00:00+01:00', useCredit: true, requestId: 'a-booking-1' },
    optional: ['useCredit'],
  }),
  entrance('cancelSession', 'callable', {
    allowed: signedIn,
    input: { sessionId: 'session1', reason: 'Ill.', requestId: 'a-cancel-1' },
    optional: ['reason'],
    words: ['reason'],
  }),
  entrance('rescheduleSession', 'callable', {
    allowed: signedIn,
    input: { sessionId: 'session1', startsAt: '2026-12-01T09:00:00+01:00', requestId: 'a-move-1' },
  }),
  entrance('completeSession', 'callable', {
    allowed: ['coach', 'admin'],
    by: withRole,
    input: { sessionId: 'session1', outcome: 'completed', requestId: 'a-completion-1' },
    optional: ['outcome', 'requestId'],
  }),
  entrance('addSessionNote', 'callable', {
    allowed: ['coach'],
    by: withRole,
    input: { sessionId: 'session1', text: 'Went well.', requestId: 'a-note-1' },
    words: ['text'],
    lines: ['text'],
  }),
  entrance('listSessionTimes', 'callable', {
    allowed: signedIn,
    input: { productId: 'hour', from: '2026-12-01', days: 7 },
    optional: ['from', 'days'],
  }),
  entrance('setAvailability', 'callable', {
    allowed: ['coach', 'admin'],
    by: withRole,
    input: { weekly: [{ weekday: 1, from: '09:00', to: '17:00' }], horizonDays: 30, requestId: 'my-hours-1' },
    optional: ['weekly', 'horizonDays'],
  }),
  entrance('createSubscription', 'callable', {
    allowed: signedIn,
    input: { ...payment, productId: 'premium', requestId: 'a-subscription-1', quantity: 1 },
    optional: ['paymentMethodId', 'quantity'],
  }),
  entrance('updateSubscription', 'callable', {
    allowed: signedIn,
    input: { subscriptionId: 'sub_1', requestId: 'a-change-1', productId: 'premium', quantity: 2, preview: true },
    optional: ['productId', 'quantity', 'preview'],
  }),
  entrance('cancelSubscription', 'callable', {
    allowed: signedIn,
    input: { subscriptionId: 'sub_1', requestId: 'a-cancel-1', when: 'now' },
  }),
  entrance('resumeSubscription', 'callable', {
    allowed: signedIn,
    input: { subscriptionId: 'sub_1', requestId: 'a-resume-1' },
  }),
  entrance('createCheckoutSession', 'callable', {
    allowed: signedIn,
    input: { ...page, requestId: 'a-checkout-1' },
    optional: ['cancelUrl', 'locale', 'allowPromotionCodes'],
  }),
  entrance('createPortalSession', 'callable', {
    allowed: signedIn,
    input: { returnUrl: `${ours}/account`, locale: 'sv' },
    optional: ['locale'],
  }),
  entrance('createSetupIntent', 'callable', { allowed: signedIn, input: { requestId: 'a-setup-intent-1' } }),
  entrance('listPaymentMethods', 'callable', { allowed: signedIn }),
  entrance('setDefaultPaymentMethod', 'callable', { allowed: signedIn, input: { paymentMethodId: 'pm_unknown1' } }),
  entrance('removePaymentMethod', 'callable', { allowed: signedIn, input: { paymentMethodId: 'pm_unknown1' } }),
  entrance('setSellerIdentity', 'callable', {
    allowed: ['coach', 'admin'],
    by: withRole,
    input: {
      kind: 'individual',
      name: 'Karin Coach',
      street: 'Gatan 1',
      postalCode: '111 22',
      city: 'Stockholm',
      country: 'SE',
      tin: '19811218-9876',
      tinCountry: 'SE',
      birthDate: '1981-12-18',
      iban: 'SE3550000000054910000003',
    },
    optional: ['iban'],
    words: ['name', 'street', 'postalCode', 'city'],
  }),
  entrance('getDac7Report', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: { year: 2026, format: 'data' },
    optional: ['format'],
  }),
  entrance('getReceipt', 'callable', {
    allowed: signedIn,
    by: `${idToken}; the customer’s own, the coach’s own sales`,
    input: { paymentId: 'pi_none', locale: 'sv' },
  }),
  entrance('listPayments', 'callable', {
    allowed: signedIn,
    input: { status: 'succeeded', productId: 'programme', from: '2026-11-01', to: '2026-11-30', limit: 20 },
    optional: ['status', 'productId', 'from', 'to', 'limit'],
  }),
  entrance('startCoachOnboarding', 'callable', {
    allowed: ['coach'],
    by: withRole,
    input: { returnUrl: `${ours}/return`, refreshUrl: `${ours}/refresh` },
  }),
  entrance('getCoachStatus', 'callable', { allowed: ['coach'], by: withRole }),
  entrance('createCoachAccountSession', 'callable', {
    allowed: ['coach'],
    by: withRole,
    input: { country: 'SE' },
    optional: ['country'],
  }),
  entrance('createCoachLoginLink', 'callable', { allowed: ['coach'], by: withRole }),
  entrance('updatePayoutSettings', 'callable', {
    allowed: ['coach'],
    by: withRole,
    input: { requestId: 'payout-settings-1', cadence: 'weekly', minimumMinor: 2000 },
    optional: ['cadence', 'minimumMinor'],
  }),
  entrance('getCoachEarnings', 'callable', {
    allowed: ['coach', 'admin'],
    by: withRole,
    input: { weeksBefore: '2026-11-23', monthsBefore: '2026-11-01' },
    optional: ['weeksBefore', 'monthsBefore'],
  }),
  entrance('listPayouts', 'callable', {
    allowed: ['coach', 'admin'],
    by: withRole,
    input: { limit: 20 },
    optional: ['limit'],
  }),
  entrance('getPayoutStatement', 'callable', {
    allowed: ['coach', 'admin'],
    by: withRole,
    input: { payoutId: 'coach-karin_SEK_2026-11-23_1', format: 'pdf', language: 'sv' },
  }),
  entrance('getPayoutInvoice', 'callable', {
    allowed: ['coach', 'admin'],
    by: withRole,
    input: { payoutId: 'coach-karin_SEK_2026-11-23_1', language: 'sv', credit: false },
    optional: ['credit'],
  }),
  entrance('requestPayout', 'callable', {
    allowed: ['coach'],
    by: withRole,
    input: { amountMinor: 2000, requestId: 'payout-by-hand-1' },
    optional: ['amountMinor'],
  }),
  entrance('retryPayout', 'callable', {
    allowed: ['coach', 'admin'],
    by: withRole,
    input: { payoutId: 'coach-karin_SEK_2026-11-23_1', requestId: 'payout-again-1' },
  }),
  entrance('payPlatform', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: { amountMinor: 2000, requestId: 'payout-own-1' },
    optional: ['amountMinor'],
  }),
  entrance('runPayouts', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: { coachId: 'coach-karin', amountMinor: 2000, requestId: 'payout-run-1' },
    optional: ['coachId', 'amountMinor'],
  }),
];

const operator = 'an administrator’s ID token, or Cloud Scheduler’s OIDC token';

const routes: readonly Entrance[] = [
  entrance('api GET /health', 'route', { allowed: callers, by: 'nothing: it says only that it is there' }),
  entrance('api GET /payments', 'route', { allowed: signedIn }),
  entrance('api GET /coach/status', 'route', { allowed: ['coach'], by: withRole }),
  entrance('api POST /process-payment', 'route', {
    allowed: signedIn,
    input: { ...payment, requestId: 'a-payment-2', savePaymentMethod: true },
    optional: ['paymentMethodId', 'savePaymentMethod'],
  }),
  entrance('api POST /create-checkout-session', 'route', {
    allowed: signedIn,
    input: { ...page, requestId: 'a-checkout-2' },
    optional: ['cancelUrl', 'locale', 'allowPromotionCodes'],
  }),
  entrance('api POST /portal-link', 'route', {
    allowed: signedIn,
    input: { returnUrl: `${ours}/account`, locale: 'sv' },
    optional: ['locale'],
  }),
  entrance('api POST /refund', 'route', {
    allowed: ['coach', 'admin'],
    by: withRole,
    input: { ...refund, requestId: 'a-refund-2' },
    optional: ['amountMinor', 'reason'],
    words: ['reason'],
  }),
  entrance('api POST /schedule-payouts', 'route', { allowed: ['admin', 'scheduler'], by: operator }),
  entrance('api POST /sync-accounting', 'route', { allowed: ['admin', 'scheduler'], by: operator }),
];

const iam = 'Cloud Run IAM: only the service account of Cloud Scheduler’s job may invoke it';
const queue = 'Cloud Run IAM: only the service account that Cloud Tasks signs with may invoke it';

const background: readonly Entrance[] = [
  entrance('stripeWebhook', 'webhook', { by: 'Stripe’s signature over the raw body, whoever brings it' }),
  entrance('fortnoxCallback', 'page', {
    by: 'the secret state of an administrator’s connectFortnox, once within ten minutes',
  }),
  entrance('schedulePayouts', 'scheduled', { allowed: ['scheduler'], by: iam }),
  entrance('syncAccounting', 'scheduled', { allowed: ['scheduler'], by: iam }),
  entrance('reconcile', 'scheduled', { allowed: ['scheduler'], by: iam }),
  entrance('sweep', 'scheduled', { allowed: ['scheduler'], by: iam }),
  entrance('payCoach', 'task queue', {
    by: queue,
    input: { coachId: 'coach-karin', currency: 'SEK', dueDate: '2026-11-23', runId: '2026-11-23' },
  }),
  entrance('postVoucher', 'task queue', { by: queue, input: { voucherId: 'v_ch_1_sale' } }),
  entrance('reconcileCoach', 'task queue', {
    by: queue,
    input: { run: 'reconciliations/2026-11-23', account: 'platform' },
  }),
];

export const entrances: readonly Entrance[] = [...callables, ...operations, ...routes, ...background];

/** The exported function behind an entrance. */
export const functionOf = ({ name }: Entrance): string => name.split(' ')[0] ?? name;

/** Method and path of a route. */
export function routeOf({ name }: Entrance): { method: string; path: string } {
  const [, method = 'POST', path = ''] = name.split(' ');
  return { method, path };
}
