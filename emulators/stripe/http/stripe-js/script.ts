/** The stand-in for Stripe.js: one script, made of the sources beside this file, for a browser. */
import { TEST_CARDS } from '../../resources/test-cards.ts';
import { ELEMENTS_SOURCE } from './elements-source.ts';
import { STRIPE_SOURCE } from './stripe-source.ts';

/** Where it is found: its own path, and those from which `@stripe/stripe-js` and older pages load Stripe.js. */
const PATHS: readonly string[] = ['/stripe.js', '/endive/stripe.js', '/v3', '/v3/', '/v3/stripe.js'];

/** The script, calling the emulator at `publicUrl`; undefined where `path` is none of its addresses. */
export function stripeJs(path: string, publicUrl: string): string | undefined {
  if (!PATHS.includes(path)) return undefined;
  const numbers = new Set<string>();
  const cards = Object.entries(TEST_CARDS).flatMap(([token, card]) => {
    if (numbers.has(card.number)) return [];
    numbers.add(card.number);
    return [{ name: token.replace('pm_card_', ''), number: card.number }];
  });
  return (
    "(function () {\n'use strict';\n" +
    `const API = ${JSON.stringify(publicUrl)};\nconst TEST_CARDS = ${JSON.stringify(cards)};\n` +
    `${ELEMENTS_SOURCE}${STRIPE_SOURCE}})();\n`
  );
}
