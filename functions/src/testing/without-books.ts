import type { Context } from '../platform/context.ts';

/** For stages that are about Stripe alone: asking Fortnox anything there is a mistake. */
export function withoutBooks(): Pick<Context, 'fortnox' | 'fortnoxConsent'> {
  const refuse = () => Promise.reject(new Error('There are no books here.'));
  return { fortnox: refuse, fortnoxConsent: refuse };
}
