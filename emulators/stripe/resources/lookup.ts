/** Objects that requests of several resources name. */
import type Stripe from 'stripe';
import { missing } from '../core/errors.ts';
import type { Book } from '../core/world.ts';

export function customerNamed(book: Book, id: string, param = 'customer', status: 400 | 404 = 400): Stripe.Customer {
  const customer = book.customers.get(id);
  if (!customer) throw missing('customer', id, param, status);
  return customer;
}
