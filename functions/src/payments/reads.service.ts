/** What other rooms read of this one, inside their own transactions. */
export { readPayment } from './payments.store.ts';
export { readProduct } from './products.store.ts';
