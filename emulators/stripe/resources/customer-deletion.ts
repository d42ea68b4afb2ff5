/** A customer is deleted: for ever, with what is saved to it; its subscriptions end at once. */
import type Stripe from 'stripe';
import { emit } from '../core/events.ts';
import type { ExpandOnly } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import { ENDED, endSubscription } from './billing/standing.ts';
import { customerNamed } from './lookup.ts';
import { detachPaymentMethod } from './payment-methods.ts';

const deletedShape = (id: string): Stripe.DeletedCustomer => ({ id, object: 'customer', deleted: true });

export function deleteCustomer(world: World, book: Book, _: object, [id = '']: string[]): Stripe.DeletedCustomer {
  const customer = customerNamed(book, id, 'id', 404);
  for (const subscription of book.subscriptions.values())
    if (subscription.customer === id && !ENDED.includes(subscription.status))
      endSubscription(world, book, subscription, 'cancellation_requested');
  for (const method of book.paymentMethods.values())
    if (method.customer === id) detachPaymentMethod(world, book, {}, [method.id]);
  book.customers.delete(id);
  book.deletedCustomers.add(id);
  emit(world, book, 'customer.deleted', customer);
  return deletedShape(id);
}

/** A deleted one can still be asked for, and is not there for anything else. */
export const retrieveCustomer = (_: World, book: Book, __: ExpandOnly, [id = '']: string[]) =>
  book.deletedCustomers.has(id) ? deletedShape(id) : customerNamed(book, id, 'id', 404);
