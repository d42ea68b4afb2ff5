import type Stripe from 'stripe';
import { hours } from '../../platform/clock.ts';
import { ordered, subscribed } from './made.ts';
import { bookableTime, paidSession } from './sessions.ts';
import { card, page, requestId, type Plays, type Stage } from './play.ts';

const confirm = (stage: Stage, reply: object) =>
  stage.stripe.paymentIntents.confirm((reply as { paymentId: string }).paymentId, {
    payment_method: card,
    return_url: `${page}/done`,
  });

async function savedCard(stage: Stage): Promise<Stripe.PaymentMethod> {
  const method = await stage.stripe.paymentMethods.attach(card, { customer: stage.customer });
  await stage.hear();
  return method;
}

export const customers: Plays = {
  processPayment: {
    does: 'Begins a payment for a product, an order or a session. The client confirms it with `clientSecret`; with `paymentMethodId` it is confirmed at once.',
    as: 'customer',
    input: () => ({ productId: 'programme', requestId }),
    then: confirm,
  },
  createOrder: {
    does: 'Makes an order of things of the catalogue, priced and put aside by the server. It is paid by `processPayment` or on a page.',
    as: 'customer',
    input: () => ({ items: [{ productId: 'programme', quantity: 1 }], requestId }),
  },
  cancelOrder: {
    does: 'Cancels an order that is not paid; administrators anybody’s. Its goods are for sale again and its payment is closed.',
    as: 'customer',
    input: async (stage) => ({ orderId: await ordered(stage), requestId }),
  },
  listSessionTimes: {
    does: 'When a session can be booked, by day: what a client shows to choose from. A time is nobody’s before it is booked.',
    as: 'customer',
    input: async (stage) => {
      await bookableTime(stage);
      return { productId: 'hour', days: 7 };
    },
  },
  bookSession: {
    does: 'Books a time with a coach, for the caller or a student they name. With `useCredit` it is paid with a session bought in advance; otherwise by `processPayment` or on a page before `payBy`, when the time is free again.',
    as: 'customer',
    input: async (stage) => ({ productId: 'hour', startsAt: await bookableTime(stage), requestId }),
  },
  cancelSession: {
    does: 'Cancels a session, by its payer, its coach or an administrator. The payer gets everything back until a day before it starts, half of it later (a credit comes back, or is used up); from the coach or an administrator always everything.',
    as: 'customer',
    input: async (stage) => ({ sessionId: await paidSession(stage), reason: 'I am ill.', requestId }),
  },
  rescheduleSession: {
    does: 'Moves a paid session to another time of its coach’s: the payer until a day before it starts, the coach until it starts. What is not free or not offered is refused, and the old time is kept.',
    as: 'customer',
    input: async (stage) => {
      const sessionId = await paidSession(stage);
      const startsAt = new Date(Math.ceil(stage.ctx.clock.now().getTime() / hours(1) + 72) * hours(1)).toISOString();
      return { sessionId, startsAt, requestId };
    },
  },
  createSubscription: {
    does: 'Begins a subscription. Its first payment, or a trial’s card, is confirmed with `clientSecret`; with `paymentMethodId` at once.',
    as: 'customer',
    input: () => ({ productId: 'premium', requestId }),
    then: confirm,
  },
  updateSubscription: {
    does: 'Changes the product or the quantity; what differs is charged or credited by the day. `preview` only says what it would cost.',
    as: 'customer',
    input: async (stage) => ({ subscriptionId: await subscribed(stage), productId: 'plus', requestId }),
  },
  cancelSubscription: {
    does: 'Ends a subscription, now or when what is paid for is over.',
    as: 'customer',
    input: async (stage) => ({ subscriptionId: await subscribed(stage), when: 'period_end', requestId }),
  },
  resumeSubscription: {
    does: 'Takes a cancellation back that has not taken effect yet.',
    as: 'customer',
    input: async (stage) => {
      const subscriptionId = await subscribed(stage);
      await stage.stripe.subscriptions.update(subscriptionId, { cancel_at_period_end: true });
      await stage.hear();
      return { subscriptionId, requestId };
    },
  },
  createCheckoutSession: {
    does: 'Opens a page of Stripe’s on which a product or an order is paid, a subscription begun or a card saved.',
    as: 'customer',
    input: () => ({ mode: 'payment', productId: 'programme', successUrl: `${page}/done`, requestId }),
  },
  createPortalSession: {
    does: 'Opens Stripe’s page on which a customer sees their invoices and changes their cards and subscriptions.',
    as: 'customer',
    input: () => ({ returnUrl: `${page}/account` }),
  },
  createSetupIntent: {
    does: 'Begins the saving of a card or a bank debit; the client confirms it with `clientSecret`.',
    as: 'customer',
    input: () => ({ requestId }),
    then: async ({ stripe }, reply) => {
      const { setupIntentId } = reply as { setupIntentId: string };
      await stripe.setupIntents.confirm(setupIntentId, { payment_method: card, return_url: `${page}/done` });
    },
  },
  listPaymentMethods: {
    does: 'The caller’s saved payment methods.',
    as: 'customer',
    input: async (stage) => {
      await savedCard(stage);
      return {};
    },
  },
  setDefaultPaymentMethod: {
    does: 'Makes a saved method the one that invoices are paid with.',
    as: 'customer',
    input: async (stage) => ({ paymentMethodId: (await savedCard(stage)).id }),
  },
  removePaymentMethod: {
    does: 'Removes a saved method.',
    as: 'customer',
    input: async (stage) => ({ paymentMethodId: (await savedCard(stage)).id }),
  },
  getReceipt: {
    does: 'The receipt of a payment with VAT and seller, or one of its credit notes, as PDF: for its customer, for the coach whose sale it is, for administrators. Of a tenant’s sale the tenant gives the receipt.',
    as: 'customer',
    input: async (stage) => {
      await subscribed(stage);
      const [payment] = (await stage.ctx.db.collection('payments').where('userId', '==', 'eva').get()).docs;
      return { paymentId: payment?.id, locale: 'sv' };
    },
  },
  listPayments: {
    does: 'The caller’s payments, the newest first; administrators see anybody’s.',
    as: 'customer',
    input: async (stage) => {
      await subscribed(stage);
      return { limit: 20 };
    },
  },
};
