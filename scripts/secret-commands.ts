/** What `npm run secrets` prints: every command that a project's secrets need, and none of their values. */

/** Whoever deploys has these: the functions do nothing right without them. */
export const requiredSecrets = [
  { name: 'STRIPE_SECRET_KEY', from: 'Stripe dashboard, Developers, API keys (sk_… or rk_…)' },
  { name: 'STRIPE_WEBHOOK_SECRET', from: 'the webhook endpoint for your own account (whsec_…)' },
  { name: 'STRIPE_CONNECT_WEBHOOK_SECRET', from: 'the webhook endpoint for connected accounts (whsec_…)' },
  { name: 'FORTNOX_CLIENT_ID', from: 'Fortnox developer portal, your integration' },
  { name: 'FORTNOX_CLIENT_SECRET', from: 'Fortnox developer portal, your integration' },
] as const;

/**
 * Firebase refuses to deploy while a declared secret does not exist, and these are not needed at first. The placeholder is
 * no secret of Stripe's, so it never verifies a delivery.
 */
export const optionalSecrets = [
  'STRIPE_WEBHOOK_SECRET_PREVIOUS',
  'STRIPE_CONNECT_WEBHOOK_SECRET_PREVIOUS',
  'STRIPE_THIN_WEBHOOK_SECRET',
  'STRIPE_THIN_WEBHOOK_SECRET_PREVIOUS',
] as const;

export const placeholder = 'unset';
export const refreshTokenSecret = 'fortnox-refresh-token';

/** A project id as Google Cloud allows it; nothing else gets into a command that somebody will paste. */
export function isProjectId(text: string): boolean {
  return /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(text);
}

export interface Options {
  project: string;
  /** The consent page's redirect address, registered in Fortnox's developer portal. */
  redirectUri: string;
}

export function secretCommands({ project, redirectUri }: Options): string {
  const set = (name: string) => `npx firebase functions:secrets:set ${name} --project ${project}`;
  return [
    '# 1. Secrets you have: each command asks for its value.',
    ...requiredSecrets.flatMap(({ name, from }) => [`#    ${name}: ${from}`, set(name)]),
    '',
    '# 2. Secrets that are not needed yet. A deploy wants them to exist; a placeholder never verifies anything.',
    '#    Leave out those that have a value: the command would replace it.',
    ...optionalSecrets.map((name) => `printf ${placeholder} | ${set(name)} --data-file -`),
    '',
    '# Rolling a webhook secret: keep the old one beside it, take the new one, deploy, and put the placeholder back a day later.',
    `#   npx firebase functions:secrets:access STRIPE_WEBHOOK_SECRET --project ${project} | ${set('STRIPE_WEBHOOK_SECRET_PREVIOUS')} --data-file -`,
    '#   roll it in the Stripe dashboard with an expiry of 24 hours',
    `#   ${set('STRIPE_WEBHOOK_SECRET')}`,
    `#   npx firebase deploy --only functions:stripeWebhook --project ${project}`,
    '',
    '# 3. Only with FORTNOX_AUTH=refresh_token (a service account, the default, needs none of this).',
    '#    The secret changes at run time, so Firebase must not manage it: gcloud makes it, once.',
    `gcloud secrets create ${refreshTokenSecret} --replication-policy automatic --project ${project}`,
    `ACCOUNT="$(gcloud projects describe ${project} --format 'value(projectNumber)')-compute@developer.gserviceaccount.com"`,
    ...['secretAccessor', 'secretVersionManager'].map(
      (role) =>
        `gcloud secrets add-iam-policy-binding ${refreshTokenSecret} --member "serviceAccount:$ACCOUNT" --role roles/secretmanager.${role} --project ${project}`,
    ),
    '',
    '# 4. Fortnox’s consent, once and again whenever the flag says that it is needed: register this redirect address in',
    '#    Fortnox’s developer portal, deploy, and have an administrator call connectFortnox. It gives the page where a system',
    '#    administrator of the company consents.',
    `#      ${new URL(redirectUri).href}`,
    '',
  ].join('\n');
}
