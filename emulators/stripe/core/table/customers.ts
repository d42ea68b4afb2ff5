/** Customers, the catalogue and payment methods. */
import type Stripe from 'stripe';
import * as catalogue from '../../resources/catalogue.ts';
import { deleteCustomer, retrieveCustomer } from '../../resources/customer-deletion.ts';
import * as customers from '../../resources/customers.ts';
import * as methods from '../../resources/payment-methods.ts';
import { arr, bool, clearable, expand, int, metadata, obj, oneOf, required, str, paging } from '../params.ts';
import { recurring } from './recurring.ts';
import { created, one, route } from './route.ts';
import type { Route } from './route.ts';

const address = clearable(
  obj<Stripe.AddressParam>({
    city: str(),
    country: str(),
    line1: str(),
    line2: str(),
    postal_code: str(),
    state: str(),
  }),
);
const person = { name: str(), description: str(), phone: str(), email: str(512), address, metadata } as const;
const invoiceSettings = obj<Stripe.CustomerCreateParams.InvoiceSettings>({ default_payment_method: str() });

export const CUSTOMERS_ROUTES: readonly Route[] = [
  route(
    'POST',
    '/v1/customers',
    'any',
    {
      ...person,
      payment_method: str(),
      preferred_locales: arr(str()),
      invoice_settings: invoiceSettings,
      test_clock: str(),
      expand,
    },
    customers.createCustomer,
  ),
  route(
    'GET',
    '/v1/customers/search',
    'any',
    { query: required(str()), limit: int, page: str(), expand },
    customers.searchCustomers,
  ),
  route('GET', '/v1/customers/{}', 'any', one, retrieveCustomer),
  route('DELETE', '/v1/customers/{}', 'any', {}, deleteCustomer),
  route(
    'POST',
    '/v1/customers/{}',
    'any',
    {
      ...person,
      preferred_locales: arr(str()),
      invoice_settings: invoiceSettings,
      expand,
    },
    customers.updateCustomer,
  ),
  route(
    'GET',
    '/v1/customers',
    'any',
    { ...paging, created, email: str(512), test_clock: str() },
    customers.listCustomers,
  ),
  route(
    'GET',
    '/v1/customers/{}/payment_methods',
    'any',
    { ...paging, type: oneOf('card') },
    methods.listCustomerMethods,
  ),
  route(
    'POST',
    '/v1/products',
    'any',
    {
      id: str(),
      name: required(str()),
      active: bool,
      description: str(),
      metadata,
      expand,
    },
    catalogue.createProduct,
  ),
  route('GET', '/v1/products/{}', 'any', one, catalogue.retrieveProduct),
  route(
    'POST',
    '/v1/products/{}',
    'any',
    {
      name: str(),
      active: bool,
      description: clearable(str()),
      metadata,
      expand,
    },
    catalogue.updateProduct,
  ),
  route('GET', '/v1/products', 'any', { ...paging, created, active: bool, ids: arr(str()) }, catalogue.listProducts),
  route(
    'POST',
    '/v1/prices',
    'any',
    {
      currency: required(str()),
      product: str(),
      product_data: obj<Stripe.PriceCreateParams.ProductData>({
        id: str(),
        name: required(str()),
        active: bool,
        metadata,
      }),
      unit_amount: int,
      recurring,
      lookup_key: str(200),
      transfer_lookup_key: bool,
      nickname: str(),
      active: bool,
      metadata,
      expand,
    },
    catalogue.createPrice,
  ),
  route('GET', '/v1/prices/{}', 'any', one, catalogue.retrievePrice),
  route(
    'GET',
    '/v1/prices',
    'any',
    {
      ...paging,
      created,
      active: bool,
      product: str(),
      currency: str(),
      type: oneOf('one_time', 'recurring'),
      lookup_keys: arr(str()),
    },
    catalogue.listPrices,
  ),
  route('GET', '/v1/payment_methods/{}', 'any', one, methods.retrievePaymentMethod),
  route(
    'GET',
    '/v1/payment_methods',
    'any',
    { ...paging, customer: str(), type: oneOf('card') },
    methods.listPaymentMethods,
  ),
  route(
    'POST',
    '/v1/payment_methods/{}/attach',
    'any',
    { customer: required(str()), expand },
    methods.attachPaymentMethod,
  ),
  route('POST', '/v1/payment_methods/{}/detach', 'any', one, methods.detachPaymentMethod),
];
