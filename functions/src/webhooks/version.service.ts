import type Stripe from 'stripe';
import { raiseFlagOnce } from '../admin/flags.service.ts';
import type { Context } from '../platform/context.ts';
import { sdkApiVersion } from '../platform/stripe.ts';
import * as logs from './webhooks.logs.ts';

/**
 * Stripe shapes an event by its endpoint's API version, which was set when the endpoint was made. An event of another
 * version than the SDK's is applied as far as its shape fits; a person hears once of each such version.
 */
export async function compareVersion(ctx: Context, event: Stripe.Event): Promise<void> {
  const told = event.api_version;
  if (told === null) return;
  const ours = await sdkApiVersion();
  if (told === ours) return;
  logs.eventOfOtherVersion(ctx.log, event, told, ours);
  await raiseFlagOnce(ctx, {
    id: `webhook-api-version_${told}`,
    kind: 'webhook-api-version',
    severity: 'warning',
    subject: `stripeEvents/${event.id}`,
    message: `A webhook endpoint sends events of Stripe's API version ${told}; this system speaks ${ours}.`,
    action: `Make an endpoint with the API version ${ours} beside the old one, then remove the old one. Until then its events are applied as far as their shape fits; those that are not are flagged.`,
  });
}
