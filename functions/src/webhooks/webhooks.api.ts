import { onRequest } from 'firebase-functions/https';
import { secrets } from '../config.ts';
import { productionContext, type Context } from '../platform/context.ts';
import { baseOptions, stripeSecrets } from '../platform/entrance.ts';
import { verifiedEvent } from './signature.ts';
import * as logs from './webhooks.logs.ts';
import { receiveEvent, type Receipt } from './webhooks.service.ts';

const maxBodyBytes = 1024 * 1024;

/**
 * Stripe's deliveries, platform and Connect. 2xx only after the commit; 400 for what is not Stripe's or too old; 500 for
 * what is stored as failed, so that Stripe delivers it again.
 */
export const stripeWebhook = onRequest(
  {
    ...baseOptions,
    secrets: [...stripeSecrets, secrets.stripeWebhookSecret, secrets.stripeConnectWebhookSecret],
    concurrency: 80,
  },
  async (req, res) => {
    const ctx = await productionContext();
    if (req.method !== 'POST') {
      res.set('Allow', 'POST').status(405).json({ error: 'Stripe delivers events with POST.' });
      return;
    }
    const { status, body } = await receiveDelivery(ctx, req.rawBody, req.get('Stripe-Signature') ?? '');
    res.status(status).json(body);
  },
);

interface Answer {
  status: number;
  body: { received: Receipt | 'other-mode' } | { error: string };
}

async function receiveDelivery(ctx: Context, rawBody: Buffer, signature: string): Promise<Answer> {
  if (rawBody.length > maxBodyBytes) return { status: 413, body: { error: 'The body is larger than 1 MiB.' } };
  const stripe = await ctx.stripe();
  const keys = [secrets.stripeWebhookSecret.value(), secrets.stripeConnectWebhookSecret.value()];
  const event = verifiedEvent(stripe, rawBody, signature, keys);
  if (!event) {
    logs.signatureRefused(ctx.log);
    return {
      status: 400,
      body: { error: 'The Stripe-Signature header fits none of our webhook secrets, or is older than five minutes.' },
    };
  }
  if (event.livemode !== secrets.stripeSecretKey.value().includes('_live_')) {
    logs.eventOfOtherMode(ctx.log, event);
    return { status: 200, body: { received: 'other-mode' } };
  }
  const receipt = await receiveEvent(ctx, event);
  return receipt === 'failed'
    ? { status: 500, body: { error: 'The event is stored and will be applied later.' } }
    : { status: 200, body: { received: receipt } };
}
