/** Account links and what their hosted form does. The page itself is in http/hosted.ts. */
import type Stripe from 'stripe';
import { badParam } from '../core/errors.ts';
import type { Book, OnboardingLink, World } from '../core/world.ts';
import { requireAccount, requirementsOf, saveAccount } from './account-state.ts';
import { addBank, banksOf, removeBank, takesIban, tidyIban } from './banks.ts';
import { enableAccount, isRejected, withStatus } from './requirements.ts';

export function createAccountLink(world: World, _: Book, params: Stripe.AccountLinkCreateParams): Stripe.AccountLink {
  const account = requireAccount(world, params.account, 'account');
  for (const name of ['refresh_url', 'return_url'] as const) {
    const url = params[name];
    if (url === undefined) throw badParam(name, `Missing required param: ${name}.`, 'parameter_missing');
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw badParam(name, 'Not a valid URL', 'url_invalid');
  }
  const link: OnboardingLink = {
    token: world.ids.next('link', 32),
    account: account.id,
    expiresAt: world.now + world.switches.accountLinkLifetimeSeconds,
    refreshUrl: params.refresh_url!,
    returnUrl: params.return_url!,
    state: 'new',
  };
  world.links.set(link.token, link);
  return {
    object: 'account_link',
    created: world.now,
    expires_at: link.expiresAt,
    url: `${world.publicUrl}/_hosted/onboarding/${link.token}`,
  };
}

/** What the form asks for. */
export interface OnboardingForm {
  firstName: string;
  lastName: string;
  email: string;
  phone: string;
  /** YYYY-MM-DD. */
  birthDate: string;
  street: string;
  postalCode: string;
  city: string;
  iban: string;
}

export const ONBOARDING_FIELDS: readonly (keyof OnboardingForm)[] = [
  'firstName',
  'lastName',
  'email',
  'phone',
  'birthDate',
  'street',
  'postalCode',
  'city',
  'iban',
];

/** The opened form of a link, or where the visitor is sent instead. A link opens once. */
export function openLink(world: World, token: string): { form: Stripe.Account } | { redirect: string } | null {
  const link = world.links.get(token);
  if (!link) return null;
  const account = world.accounts.get(link.account);
  if (!account || link.state !== 'new' || link.expiresAt <= world.now) return { redirect: link.refreshUrl };
  link.state = 'open';
  return { form: account };
}

/** The form was sent: completes the onboarding, or says what is wrong with it. An opened form may be sent for an hour. */
export function submitLink(
  world: World,
  token: string,
  given: Partial<Record<keyof OnboardingForm, string>>,
): { redirect: string } | { account: Stripe.Account; problems: Record<string, string> } | null {
  const link = world.links.get(token);
  if (!link) return null;
  const account = world.accounts.get(link.account);
  const lifetime = link.state === 'open' ? 3_600 : 0;
  if (!account || link.state === 'done' || link.expiresAt + lifetime <= world.now) return { redirect: link.refreshUrl };
  const problems = problemsOf(given);
  if (Object.keys(problems).length > 0) return { account, problems };
  link.state = 'done';
  completeOnboarding(world, account.id, given as OnboardingForm);
  return { redirect: link.returnUrl };
}

function problemsOf(given: Partial<Record<keyof OnboardingForm, string>>): Record<string, string> {
  const problems: Record<string, string> = {};
  for (const field of ONBOARDING_FIELDS) {
    if ((given[field] ?? '').trim() === '') problems[field] = 'This is needed.';
  }
  const iban = tidyIban(given.iban ?? '');
  if (iban !== '' && !takesIban(iban)) {
    problems.iban = 'This is not a valid Swedish IBAN: SE and 22 digits.';
  }
  const birth = given.birthDate ?? '';
  if (birth !== '' && Number.isNaN(Date.parse(birth))) problems.birthDate = 'Write the date as YYYY-MM-DD.';
  return problems;
}

/** What the hosted form does when it is sent: the bank account, then the capabilities and the account itself. */
export function completeOnboarding(world: World, accountId: string, form: OnboardingForm): void {
  const account = world.accounts.get(accountId);
  if (!account) throw new Error(`There is no connected account ${accountId}.`);
  const withBank = replaceBankAccount(world, accountId, form);
  const verifying = world.switches.onboardingVerificationDelaySeconds;
  if (verifying > 0 && !account.details_submitted) {
    saveAccount(world, withBank, {
      email: account.email ?? form.email,
      business_type: account.business_type ?? 'individual',
      details_submitted: true,
      requirements: requirementsOf([], ['individual.verification.document']),
      capabilities: withStatus(withBank, 'pending'),
      tos_acceptance: { date: world.now, ip: '127.0.0.1', user_agent: null },
    });
    world.timers.add({ at: world.now + verifying, kind: 'account_verified', account: accountId, id: accountId });
    return;
  }
  activate(world, withBank, account.email ?? form.email);
}

function activate(world: World, account: Stripe.Account, email: string | null): void {
  const told = {
    email,
    business_type: account.business_type ?? 'individual',
    details_submitted: true,
    tos_acceptance: { date: world.now, ip: '127.0.0.1', user_agent: null },
  };
  // A rejected account may tell what it likes: it stays rejected.
  if (isRejected(account)) saveAccount(world, account, told);
  else enableAccount(world, account, told);
}

export function accountVerified(world: World, accountId: string): void {
  const account = world.accounts.get(accountId);
  if (account) activate(world, account, account.email);
}

/** The form's bank account in the place of all that were. */
function replaceBankAccount(world: World, accountId: string, form: OnboardingForm): Stripe.Account {
  for (const old of banksOf(world, accountId)) removeBank(world, accountId, old);
  const holder = `${form.firstName} ${form.lastName}`;
  addBank(world, accountId, { iban: form.iban, holder, holderType: 'individual' }, true);
  return world.accounts.get(accountId)!;
}
