/** The customer portal: its configurations and sessions, and what a customer does there. */
import type Stripe from 'stripe';
import { StripeFailure, badParam, missing, refused } from '../../core/errors.ts';
import { emit, emitChange } from '../../core/events.ts';
import { inRange, page } from '../../core/list.ts';
import { mergeMetadata, textOrNull } from '../../core/params.ts';
import type { ExpandOnly } from '../../core/params.ts';
import type { Subscription } from '../../core/wire.ts';
import { bookOf } from '../../core/world.ts';
import type { Book, World } from '../../core/world.ts';
import { updateCustomer } from '../customers.ts';
import { customerNamed } from '../lookup.ts';
import { attachTo, cardOf, usable } from '../payment-methods.ts';
import { ENDED } from './standing.ts';
import { updateSubscription } from './subscription-update.ts';
import { cancelSubscription } from './subscriptions.ts';

type Configuration = Stripe.BillingPortal.Configuration;
type Session = Stripe.BillingPortal.Session;
/** How long a portal link lives. */
export const PORTAL_SECONDS = 3_600;

/** The configuration that Stripe's Dashboard would hold: cards may be changed, subscriptions canceled at their end. */
function defaultConfiguration(world: World, book: Book): Configuration {
  const found = book.billing.portalConfigurations.values().find((each) => each.is_default);
  if (found) return found;
  return book.billing.portalConfigurations.add(
    shapeOf(
      world,
      {
        features: {
          payment_method_update: { enabled: true },
          subscription_cancel: { enabled: true },
          invoice_history: { enabled: true },
        },
      },
      true,
    ),
  );
}

function shapeOf(
  world: World,
  params: Stripe.BillingPortal.ConfigurationCreateParams,
  isDefault: boolean,
): Configuration {
  return {
    id: world.ids.next('bpc'),
    object: 'billing_portal.configuration',
    active: true,
    application: null,
    business_profile: profileOf(undefined, params.business_profile),
    created: world.now,
    default_return_url: textOrNull(params.default_return_url),
    features: featuresOf(undefined, params.features),
    is_default: isDefault,
    livemode: false,
    login_page: { enabled: false, url: null },
    metadata: mergeMetadata({}, params.metadata),
    name: null,
    updated: world.now,
  };
}

const profileOf = (
  before: Configuration['business_profile'] | undefined,
  given: Stripe.BillingPortal.ConfigurationUpdateParams.BusinessProfile | undefined,
): Configuration['business_profile'] => ({
  headline: given?.headline === undefined ? (before?.headline ?? null) : textOrNull(given.headline),
  privacy_policy_url:
    given?.privacy_policy_url === undefined
      ? (before?.privacy_policy_url ?? null)
      : textOrNull(given.privacy_policy_url),
  terms_of_service_url:
    given?.terms_of_service_url === undefined
      ? (before?.terms_of_service_url ?? null)
      : textOrNull(given.terms_of_service_url),
});

function featuresOf(
  before: Configuration['features'] | undefined,
  given: Stripe.BillingPortal.ConfigurationUpdateParams.Features | undefined,
): Configuration['features'] {
  const was = before?.subscription_cancel;
  return {
    customer_update: { allowed_updates: [], enabled: false },
    invoice_history: { enabled: given?.invoice_history?.enabled ?? before?.invoice_history.enabled ?? false },
    payment_method_update: {
      enabled: given?.payment_method_update?.enabled ?? before?.payment_method_update.enabled ?? false,
      payment_method_configuration: null,
    },
    subscription_cancel: {
      cancellation_reason: { enabled: false, feedback_options: null, options: [] },
      enabled: given?.subscription_cancel?.enabled ?? was?.enabled ?? false,
      mode: given?.subscription_cancel?.mode ?? was?.mode ?? 'at_period_end',
      proration_behavior: 'none',
    },
    subscription_pause: { duration: { interval_options: [], type: 'indefinite' }, enabled: false },
    subscription_update: {
      billing_cycle_anchor: null,
      default_allowed_updates: [],
      enabled: false,
      proration_behavior: 'none',
      schedule_at_period_end: { conditions: [] },
      trial_update_behavior: 'end_trial',
    },
  };
}

export function createConfiguration(world: World, book: Book, params: Stripe.BillingPortal.ConfigurationCreateParams) {
  const made = book.billing.portalConfigurations.add(shapeOf(world, params, false));
  emit(world, book, 'billing_portal.configuration.created', made);
  return made;
}

function configurationNamed(book: Book, id: string, status: 400 | 404 = 404): Configuration {
  const found = book.billing.portalConfigurations.get(id);
  if (!found) throw missing('configuration', id, 'configuration', status);
  return found;
}

export const retrieveConfiguration = (_: World, book: Book, __: ExpandOnly, [id = '']: string[]) =>
  configurationNamed(book, id);

export function updateConfiguration(
  world: World,
  book: Book,
  params: Stripe.BillingPortal.ConfigurationUpdateParams,
  [id = '']: string[],
): Configuration {
  const before = configurationNamed(book, id);
  const after = book.billing.portalConfigurations.put({
    ...before,
    active: params.active ?? before.active,
    business_profile: profileOf(before.business_profile, params.business_profile),
    default_return_url:
      params.default_return_url === undefined ? before.default_return_url : textOrNull(params.default_return_url),
    features: featuresOf(before.features, params.features),
    metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
    updated: world.now,
  });
  emitChange(world, book, 'billing_portal.configuration.updated', before, after);
  return after;
}

export const listConfigurations = (
  _: World,
  book: Book,
  params: Stripe.BillingPortal.ConfigurationListParams & { created?: undefined },
) =>
  page(
    book.billing.portalConfigurations,
    '/v1/billing_portal/configurations',
    params,
    (each) =>
      inRange(each.created, params.created) &&
      (params.active === undefined || each.active === params.active) &&
      (params.is_default === undefined || each.is_default === params.is_default),
  );

export function createPortalSession(
  world: World,
  book: Book,
  params: Stripe.BillingPortal.SessionCreateParams,
): Session {
  const customer = customerNamed(book, params.customer ?? '');
  const configuration =
    params.configuration === undefined
      ? defaultConfiguration(world, book)
      : configurationNamed(book, params.configuration, 400);
  if (!configuration.active) throw refused('This portal configuration is not active.', undefined, 'configuration');
  if (params.return_url !== undefined && !URL.canParse(params.return_url))
    throw badParam('return_url', 'Not a valid URL', 'url_invalid');
  const id = world.ids.next('bps');
  const session = book.billing.portalSessions.add({
    id,
    object: 'billing_portal.session',
    configuration: configuration.id,
    created: world.now,
    customer: customer.id,
    customer_account: null,
    flow: null,
    livemode: false,
    locale: params.locale ?? null,
    on_behalf_of: null,
    return_url: params.return_url ?? configuration.default_return_url,
    url: `${world.publicUrl}/_hosted/portal/${world.ids.next('p', 32)}${id}`,
  });
  emit(world, book, 'billing_portal.session.created', session);
  return session;
}

export interface Portal {
  book: Book;
  session: Session;
  configuration: Configuration;
  customer: Stripe.Customer;
  subscriptions: Subscription[];
}

/** The portal behind a link; undefined when there is none or its hour is over. */
export function portalAt(world: World, link: string): Portal | undefined {
  for (const account of [world.platform.account, ...world.books.keys()]) {
    const book = bookOf(world, account);
    const session = book.billing.portalSessions.values().find((each) => each.url.endsWith(`/${link}`));
    const customer = session && book.customers.get(session.customer);
    if (!session || !customer || world.now > session.created + PORTAL_SECONDS) continue;
    const configuration = book.billing.portalConfigurations.get(session.configuration as string)!;
    const subscriptions = book.subscriptions
      .values()
      .filter((each) => each.customer === customer.id && !ENDED.includes(each.status) && each.status !== 'incomplete');
    return { book, session, configuration, customer, subscriptions };
  }
  return undefined;
}

/** What a button of the page does; a text says why it did not. */
export function act(
  world: World,
  portal: Portal,
  given: { action: string; subscription: string; method: string },
): string | undefined {
  const { book, configuration, customer } = portal;
  const subscription = portal.subscriptions.find((each) => each.id === given.subscription);
  const { subscription_cancel: cancel, payment_method_update: card } = configuration.features;
  try {
    if (given.action === 'cancel' && subscription && cancel.enabled) {
      if (cancel.mode === 'immediately') cancelSubscription(world, book, {}, [subscription.id]);
      else updateSubscription(world, book, { cancel_at_period_end: true }, [subscription.id]);
      return undefined;
    }
    if (given.action === 'resume' && subscription && cancel.enabled && subscription.cancel_at !== null) {
      updateSubscription(world, book, { cancel_at_period_end: false }, [subscription.id]);
      return undefined;
    }
    if (given.action === 'card' && card.enabled) {
      changeCard(world, portal, given.method);
      return undefined;
    }
  } catch (error) {
    if (error instanceof StripeFailure) return error.message;
    throw error;
  }
  return `The portal of ${customer.email ?? customer.id} cannot do that.`;
}

/** The new card is the customer's default, and that of each subscription that had one of its own. */
function changeCard(world: World, { book, customer, subscriptions }: Portal, asked: string): void {
  const method = usable(world, book, asked);
  cardOf(method);
  attachTo(world, book, method, customer.id);
  updateCustomer(world, book, { invoice_settings: { default_payment_method: method.id } }, [customer.id]);
  for (const each of subscriptions)
    if (each.default_payment_method !== null)
      updateSubscription(world, book, { default_payment_method: method.id }, [each.id]);
}
