/** The bank accounts of connected accounts, over the API, and the tokens that stand for an IBAN. */
import type Stripe from 'stripe';
import { badParam, missing, refused, unsupported } from '../core/errors.ts';
import { embedded, limitOf } from '../core/list.ts';
import { mergeMetadata, textOrNull } from '../core/params.ts';
import type { ExpandOnly } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import { accountNamed, visibleAccount } from './account-state.ts';
import { addBank, bankOf, banksOf, changeBank, removeBank, tidyIban } from './banks.ts';
import type { BankOrder } from './banks.ts';
import { settleRequirement } from './requirements.ts';

type BankParams = Stripe.AccountCreateExternalAccountParams.BankAccount;

/** What `external_account` names: an IBAN written out, or a token that is then used up. */
export function orderOf(
  world: World,
  given: Stripe.AccountCreateExternalAccountParams['external_account'] | Stripe.AccountCreateParams.ExternalAccount,
): BankOrder {
  if (typeof given === 'string') {
    const kept = world.tokens.get(given);
    if (!kept) {
      if (given.startsWith('btok_')) {
        throw missing('token', given, 'external_account', 400);
      }
      throw unsupported(
        'external_account',
        `the external account '${given}': make a token with tokens.create({bank_account}), or pass the bank account itself`,
      );
    }
    if (kept.token.used) {
      throw refused(
        `You cannot use a Stripe token more than once: ${given}.`,
        'token_already_used',
        'external_account',
      );
    }
    kept.token = { ...kept.token, used: true };
    const { bank_account: bank } = kept.token;
    return {
      iban: kept.iban,
      holder: bank?.account_holder_name ?? null,
      holderType: bank?.account_holder_type ?? null,
    };
  }
  const bank = given as BankParams;
  requireSwedish(bank);
  return {
    iban: bank.account_number,
    holder: bank.account_holder_name ?? null,
    holderType: bank.account_holder_type ?? null,
  };
}

function requireSwedish(bank: { country?: string | undefined; currency?: string | undefined }): void {
  if (bank.country !== 'SE')
    throw unsupported('country', `bank accounts in ${bank.country ?? 'no country'}; pass country SE`);
  if (bank.currency !== undefined && bank.currency.toLowerCase() !== 'sek') {
    throw unsupported('currency', `bank accounts in ${bank.currency}; pass currency sek`);
  }
}

export function createToken(world: World, _: Book, params: Stripe.TokenCreateParams): Stripe.Token {
  const given = params.bank_account;
  if (given === undefined || typeof given === 'string') throw badParam('bank_account', 'Invalid object');
  requireSwedish(given);
  const iban = tidyIban(given.account_number);
  const bank = bankOf(world, null, {
    iban,
    holder: given.account_holder_name ?? null,
    holderType: given.account_holder_type ?? null,
  });
  const token: Stripe.Token = {
    id: world.ids.next('btok'),
    object: 'token',
    bank_account: bank,
    client_ip: '127.0.0.1',
    created: world.now,
    livemode: false,
    type: 'bank_account',
    used: false,
  };
  world.tokens.set(token.id, { token, iban });
  return token;
}

export function retrieveToken(world: World, _: Book, __: ExpandOnly, [id = '']: string[]): Stripe.Token {
  const kept = world.tokens.get(id);
  if (!kept) throw missing('token', id, 'token', 404);
  return kept.token;
}

function bankNamed(world: World, account: string, id: string): Stripe.BankAccount {
  const bank = banksOf(world, account).find((each) => each.id === id);
  if (!bank) throw missing('external account', id, 'id', 404);
  return bank;
}

export function createExternalAccount(
  world: World,
  _: Book,
  params: Stripe.AccountCreateExternalAccountParams,
  [account = '']: string[],
): Stripe.BankAccount {
  accountNamed(world, account);
  const order = { ...orderOf(world, params.external_account), metadata: params.metadata };
  const bank = addBank(world, account, order, params.default_for_currency === true);
  settleRequirement(world, account, 'external_account');
  return bank;
}

export function listExternalAccounts(
  world: World,
  book: Book,
  params: Stripe.AccountListExternalAccountsParams,
  [account = '']: string[],
): Stripe.ApiList<Stripe.BankAccount> {
  visibleAccount(world, book, account);
  const limit = limitOf(params.limit);
  const newest = banksOf(world, account).reverse();
  const position = (id: string) => newest.indexOf(bankNamed(world, account, id));
  const from = params.starting_after === undefined ? 0 : position(params.starting_after) + 1;
  const data = newest.slice(from, from + limit);
  return {
    ...embedded(`/v1/accounts/${account}/external_accounts`, data),
    has_more: newest.length > from + limit,
  };
}

export function retrieveExternalAccount(
  world: World,
  book: Book,
  _: ExpandOnly,
  [account = '', id = '']: string[],
): Stripe.BankAccount {
  visibleAccount(world, book, account);
  return bankNamed(world, account, id);
}

export function updateExternalAccount(
  world: World,
  _: Book,
  params: Stripe.AccountUpdateExternalAccountParams,
  [account = '', id = '']: string[],
): Stripe.BankAccount {
  accountNamed(world, account);
  const before = bankNamed(world, account, id);
  if (params.default_for_currency === false) {
    throw badParam(
      'default_for_currency',
      'You cannot unset the default: make another external account the default of this currency.',
    );
  }
  const holds = params.account_holder_name !== undefined || params.account_holder_type !== undefined;
  return changeBank(world, account, before, {
    account_holder_name: params.account_holder_name ?? before.account_holder_name,
    account_holder_type:
      params.account_holder_type === undefined ? before.account_holder_type : textOrNull(params.account_holder_type),
    metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
    ...(params.default_for_currency === true ? { default_for_currency: true } : {}),
    // What the bank did not take has been put right: payouts are tried again.
    ...(holds && before.status === 'errored' ? { status: 'new' } : {}),
  });
}

export function deleteExternalAccount(
  world: World,
  _: Book,
  __: Stripe.AccountDeleteExternalAccountParams,
  [account = '', id = '']: string[],
): Stripe.DeletedBankAccount {
  accountNamed(world, account);
  const bank = bankNamed(world, account, id);
  if (bank.default_for_currency === true) {
    throw refused(
      'You cannot delete the default external account for your default currency. Please make another external account the ' +
        'default using the `default_for_currency` param, and then delete this one.',
    );
  }
  removeBank(world, account, bank);
  return { id, object: 'bank_account', deleted: true, currency: bank.currency };
}
