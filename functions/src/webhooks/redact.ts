/**
 * Stripe's objects carry client secrets, with which a client finishes a payment or a setup. They are fetched when a client
 * asks, never stored: what is kept of an event, and of what was fetched for it, is without them. Takes plain JSON.
 */
export function withoutClientSecrets<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutClientSecrets) as T;
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => key !== 'client_secret');
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutClientSecrets(inner as unknown)])) as T;
}
