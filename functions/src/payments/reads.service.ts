/** What other rooms read of this one, inside their own transactions. */
export { readOrder } from './orders/orders.store.ts';
export { readPayment } from './payments.store.ts';
export { hasProductOf, readProduct } from './products.store.ts';
