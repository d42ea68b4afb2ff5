/** Account links and what their hosted form does. The page itself is in http/hosted.ts. */
import type Stripe from 'stripe';
import { badParam } from '../core/errors.ts';
import { emit } from '../core/events.ts';
import { embedded } from '../core/list.ts';
import type { Book, OnboardingLink, World } from '../core/world.ts';
import { requireAccount, requirementsOf, saveAccount } from './accounts.ts';

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

/** Stripe's Swedish test IBANs, with the failure of a payout to each. Some have no valid check digits: Stripe takes them. */
export const TEST_IBANS: Readonly<Record<string, string | null>> = {
  SE3550000000054910000003: null,
  SE0850000000054910000004: 'no_account',
  SE89370400440532013002: 'account_closed',
  SE2850000000000002222227: 'insufficient_funds',
  SE89370400440532013004: 'debit_not_authorized',
  SE89370400440532013005: 'invalid_currency',
  SE2750000000000000888883: null,
};

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

const tidyIban = (text: string): string => text.replaceAll(/\s/g, '').toUpperCase();

function problemsOf(given: Partial<Record<keyof OnboardingForm, string>>): Record<string, string> {
  const problems: Record<string, string> = {};
  for (const field of ONBOARDING_FIELDS) {
    if ((given[field] ?? '').trim() === '') problems[field] = 'This is needed.';
  }
  const iban = tidyIban(given.iban ?? '');
  if (iban !== '' && !Object.hasOwn(TEST_IBANS, iban) && !isSwedishIban(iban)) {
    problems.iban = 'This is not a valid Swedish IBAN: SE and 22 digits.';
  }
  const birth = given.birthDate ?? '';
  if (birth !== '' && Number.isNaN(Date.parse(birth))) problems.birthDate = 'Write the date as YYYY-MM-DD.';
  return problems;
}

/** SE, 22 digits, and the check digits of ISO 13616. */
export function isSwedishIban(iban: string): boolean {
  if (!/^SE\d{22}$/.test(iban)) return false;
  let rest = 0;
  for (const digit of `${iban.slice(4)}2814${iban.slice(2, 4)}`) rest = (rest * 10 + Number(digit)) % 97;
  return rest === 1;
}

/** What the hosted form does when it is sent: the bank account, then the capabilities and the account itself. */
export function completeOnboarding(world: World, accountId: string, form: OnboardingForm): void {
  const book = world.books.get(accountId);
  const account = world.accounts.get(accountId);
  if (!book || !account) throw new Error(`There is no connected account ${accountId}.`);
  const withBank = replaceBankAccount(world, book, account, form);
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

const withStatus = (account: Stripe.Account, status: 'active' | 'pending'): Stripe.Account.Capabilities =>
  Object.fromEntries(Object.keys(account.capabilities ?? {}).map((name) => [name, status]));

function activate(world: World, account: Stripe.Account, email: string | null): void {
  const capabilities = withStatus(account, 'active');
  saveAccount(world, account, {
    email,
    business_type: account.business_type ?? 'individual',
    capabilities,
    charges_enabled: capabilities.card_payments === 'active' || world.switches.chargesEnabledWithoutCardPayments,
    details_submitted: true,
    payouts_enabled: true,
    requirements: requirementsOf([]),
    tos_acceptance: { date: world.now, ip: '127.0.0.1', user_agent: null },
  });
}

export function accountVerified(world: World, accountId: string): void {
  const account = world.accounts.get(accountId);
  if (account) activate(world, account, account.email);
}

function replaceBankAccount(world: World, book: Book, account: Stripe.Account, form: OnboardingForm): Stripe.Account {
  const iban = tidyIban(form.iban);
  const old = account.external_accounts?.data ?? [];
  const bank: Stripe.BankAccount = {
    id: world.ids.next('ba'),
    object: 'bank_account',
    account: account.id,
    account_holder_name: `${form.firstName} ${form.lastName}`,
    account_holder_type: 'individual',
    account_type: null,
    available_payout_methods: ['standard'],
    bank_name: 'STRIPE TEST BANK',
    country: 'SE',
    currency: 'sek',
    default_for_currency: true,
    fingerprint: `Emulated${iban.slice(-8)}`,
    future_requirements: { currently_due: [], errors: [], past_due: [], pending_verification: [] },
    last4: iban.slice(-4),
    metadata: {},
    requirements: { currently_due: [], errors: [], past_due: [], pending_verification: [] },
    routing_number: iban.slice(4, 7),
    status: 'new',
  };
  world.bankAccounts.add(bank);
  const failure = TEST_IBANS[iban];
  if (typeof failure === 'string') world.failingBanks.set(bank.id, failure);
  const after = world.accounts.update(account.id, {
    external_accounts: embedded(`/v1/accounts/${account.id}/external_accounts`, [bank]),
  });
  for (const gone of old) emit(world, book, 'account.external_account.deleted', gone);
  emit(world, book, 'account.external_account.created', bank);
  // saveAccount compares with this: account.updated does not repeat what the external account's own event says.
  return after;
}
