import type Stripe from 'stripe';
import type { StripeClient } from '../platform/stripe.ts';

/** Stripe's own tolerance: a signature older than this is refused, so that a captured delivery cannot be played again. */
export const toleranceSeconds = 300;

/**
 * Verifies the signature over the raw body with each secret in turn (the platform's endpoint and the Connect endpoint
 * have their own). An empty secret verifies against an empty key, which anyone can forge, so it is never tried.
 * Returns undefined when no secret fits.
 */
export function verifiedEvent(
  stripe: StripeClient,
  rawBody: Buffer,
  signature: string,
  secrets: readonly string[],
): Stripe.Event | undefined {
  for (const secret of secrets) {
    if (secret.trim() === '') continue;
    try {
      return stripe.webhooks.constructEvent(rawBody, signature, secret, toleranceSeconds);
    } catch (error) {
      if (!isSignatureError(error)) throw error;
    }
  }
  return undefined;
}

const isSignatureError = (error: unknown): boolean =>
  error instanceof Error && 'type' in error && error.type === 'StripeSignatureVerificationError';
