import { onRequest } from 'firebase-functions/https';
import { secrets, webhookSecrets } from '../config.ts';
import { productionContext, type Context } from '../platform/context.ts';
import { baseOptions, stripeSecrets } from '../platform/entrance.ts';
import { limits } from '../platform/limits.ts';
import { looksThin, verifiedEvent, verifiedNotification } from './signature.ts';
import { receiveNotification } from './thin.service.ts';
import * as logs from './webhooks.logs.ts';
import { receiveEvent, type Receipt } from './webhooks.service.ts';

/**
 * Stripe's deliveries: platform, Connect and thin. 2xx only after the commit; 400 for what is not Stripe's or too old; 500 for
 * what is stored as failed, so that Stripe delivers it again.
 */
export const stripeWebhook = onRequest(
  {
    ...baseOptions,
    secrets: [...stripeSecrets, ...webhookSecrets.snapshot, ...webhookSecrets.thin],
    concurrency: 80,
  },
  async (req, res) => {
    const ctx = await productionContext();
    if (req.method !== 'POST') {
      res.set('Allow', 'POST').status(405).json({ error: 'Stripe delivers events with POST.' });
      return;
    }
    // Without a content type nothing reads the body.
    const rawBody = req.rawBody ?? Buffer.alloc(0);
    const { status, body } = await receiveDelivery(ctx, rawBody, req.get('Stripe-Signature') ?? '');
    res.status(status).json(body);
  },
);

interface Answer {
  status: number;
  body: { received: Receipt | 'other-mode' } | { error: string };
}

/** One delivery, raw: verified, told apart, applied. */
export async function receiveDelivery(ctx: Context, rawBody: Buffer, signature: string): Promise<Answer> {
  if (rawBody.length > limits.webhookBytes) return { status: 413, body: { error: 'The body is larger than 1 MiB.' } };
  const delivery = await verifiedDelivery(ctx, rawBody, signature);
  if (!delivery) {
    logs.signatureRefused(ctx.log);
    return {
      status: 400,
      body: { error: 'The Stripe-Signature header fits none of our webhook secrets, or is older than five minutes.' },
    };
  }
  const { told, receive } = delivery;
  if (told.livemode !== secrets.stripeSecretKey.value().includes('_live_')) {
    logs.eventOfOtherMode(ctx.log, told);
    return { status: 200, body: { received: 'other-mode' } };
  }
  const receipt = await receive();
  return receipt === 'failed'
    ? { status: 500, body: { error: 'The event is stored and will be applied later.' } }
    : { status: 200, body: { received: receipt } };
}

interface Delivery {
  told: { id: string; type: string; livemode: boolean };
  receive: () => Promise<Receipt>;
}

async function verifiedDelivery(ctx: Context, rawBody: Buffer, signature: string): Promise<Delivery | undefined> {
  const stripe = await ctx.stripe();
  const valuesOf = (list: typeof webhookSecrets.thin) => list.map((secret) => secret.value());
  if (looksThin(rawBody)) {
    const told = verifiedNotification(stripe, rawBody, signature, valuesOf(webhookSecrets.thin));
    return told && { told, receive: () => receiveNotification(ctx, told) };
  }
  const told = verifiedEvent(stripe, rawBody, signature, valuesOf(webhookSecrets.snapshot));
  return told && { told, receive: () => receiveEvent(ctx, told) };
}
