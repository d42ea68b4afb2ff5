import type { FlagInput } from '../../admin/flags.ts';
import { formatMoney } from '../../platform/money.ts';
import type { Transfer } from './transfers.ts';

const what = (order: Transfer): string =>
  `${order.kind === 'transfer' ? 'Sending' : 'Taking back'} ${formatMoney(order.amountMinor, order.currency)} ` +
  `${order.kind === 'transfer' ? 'to' : 'from'} ${order.stripeAccountId}`;

export const transferRefused = (id: string, order: Transfer, code: string, message: string): FlagInput => ({
  id: `transfer-refused_${id}`,
  kind: 'transfer-refused',
  severity: 'critical',
  subject: `transfers/${id}`,
  message: `${what(order)} was refused by Stripe (${code}): ${message}`,
  action:
    'Look at the account in the Stripe dashboard and mend what is in the way. It is asked for again every day; nothing is sent twice.',
});

export const transferUnknown = (id: string, order: Transfer): FlagInput => ({
  id: `transfer-unknown_${id}`,
  kind: 'transfer-unknown',
  severity: 'critical',
  subject: `transfers/${id}`,
  message: `${what(order)} has not been settled for a day.`,
  action: 'Look for a transfer with this transferId in its metadata in the Stripe dashboard. The sweep keeps asking.',
});

export const transferDiffers = (id: string, difference: string): FlagInput => ({
  id: `transfer-differs_${id}`,
  kind: 'transfer-differs',
  severity: 'critical',
  subject: `transfers/${id}`,
  message: `Stripe's transfer differs from what was ordered: ${difference}.`,
  action: 'The ledger holds what Stripe booked. Settle the difference with the coach.',
});
