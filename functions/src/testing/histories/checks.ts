import type { LedgerDocument } from '../../ledger/ledger.ts';
import type { Order } from '../../payments/orders/orders.ts';
import type { Payment } from '../../payments/payments.ts';
import type { Stage } from './stage.ts';
import { moneyOf, type Money } from './stripe-says.ts';

/** Both sides of one history, read once. */
export interface Checked {
  stage: Stage;
  ledger: LedgerDocument[];
  payments: Map<string, Payment>;
  orders: Map<string, Order>;
  /** Stripe's side, by PaymentIntent. */
  money: Map<string, Money>;
}

export async function readBothSides(stage: Stage): Promise<Checked> {
  const byId = async <T>(collection: string) =>
    new Map((await stage.ctx.db.collection(collection).get()).docs.map((doc) => [doc.id, doc.data() as T]));
  return {
    stage,
    ledger: await stage.all<LedgerDocument>('ledger'),
    payments: await byId<Payment>('payments'),
    orders: await byId<Order>('orders'),
    money: new Map(moneyOf(stage).map((each) => [each.intent.id, each])),
  };
}
