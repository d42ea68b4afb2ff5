import type Stripe from 'stripe';
import type { StripeClient } from '../platform/stripe.ts';

/** Stripe's own tolerance: a signature older than this is refused, so that a captured delivery cannot be played again. */
export const toleranceSeconds = 300;

/**
 * Verifies the signature over the raw body with each secret in turn (the platform's endpoint and the Connect endpoint
 * have their own, and each may have a previous one while it is rolled). Returns undefined when no secret fits.
 */
export function verifiedEvent(
  stripe: StripeClient,
  rawBody: Buffer,
  signature: string,
  secrets: readonly string[],
): Stripe.Event | undefined {
  return firstThatFits(signature, secrets, (secret) =>
    stripe.webhooks.constructEvent(rawBody, signature, secret, toleranceSeconds),
  );
}

/** The same for a thin notification, whose destination has a secret of its own. */
export function verifiedNotification(
  stripe: StripeClient,
  rawBody: Buffer,
  signature: string,
  secrets: readonly string[],
): Stripe.V2.Core.EventNotification | undefined {
  return firstThatFits(signature, secrets, (secret) =>
    stripe.parseEventNotification(rawBody, signature, secret, toleranceSeconds),
  );
}

/**
 * Whether a body says that it is a thin notification. It is not to be trusted yet: it only chooses which secrets and which
 * of the SDK's two parsers are tried, and each refuses what belongs to the other.
 */
export function looksThin(rawBody: Buffer): boolean {
  try {
    const body: unknown = JSON.parse(rawBody.toString('utf8'));
    return typeof body === 'object' && body !== null && 'object' in body && body.object === 'v2.core.event';
  } catch {
    return false;
  }
}

/** The SDK throws an error of no kind at a `v1=` of nothing. Stripe sends none. */
const emptySignature = /(?:^|,)\s*v1=\s*(?:,|$)/;

function firstThatFits<T>(signature: string, secrets: readonly string[], verify: (secret: string) => T): T | undefined {
  if (emptySignature.test(signature)) return undefined;
  for (const secret of secrets) {
    if (!canVerify(secret)) continue;
    try {
      return verify(secret);
    } catch (error) {
      if (!isSignatureError(error)) throw error;
    }
  }
  return undefined;
}

/**
 * Only what Stripe makes is a secret. An empty one verifies against an empty key and a placeholder against a known one;
 * anyone can forge either.
 */
const canVerify = (secret: string): boolean => /^whsec_\S+$/.test(secret.trim());

const isSignatureError = (error: unknown): boolean =>
  error instanceof Error && 'type' in error && error.type === 'StripeSignatureVerificationError';
