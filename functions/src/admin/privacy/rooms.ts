/**
 * Why each collection holds something of people, and until when. Export and erasure say it in these words, and a test holds
 * the list against the rules' access matrix and docs/database-structure.md: a collection that nobody classified fails it.
 */
export interface Room {
  why: string;
  until: string;
}

/** Bokföringslagen (1999:1078), the law on books. */
export const bookkeeping = 'Bokföringslagen 7 kap. 2 §';
/** Skatteförfarandelagen (2011:1244), the Tax Procedures Act, for sellers told to the tax authority. */
export const sellers = 'Skatteförfarandelagen 39 kap. 3 §';

const erased = 'Until the person is erased (erasePerson).';
const namesErased =
  'The name and what is said in words until the person is erased; ids and amounts for good, as they are booked.';
const numbers = 'For good: ids and amounts of what is booked, no name.';
const byLaw = (what: string, law: string): string =>
  `${what} until seven years after the end of the calendar year in which the financial year ended (${law}).`;

/** Collections whose documents of a person are shown to them; `…` stands for an id. */
export const rooms = {
  customers: { why: 'What the customer may use, and their id at Stripe, to charge them.', until: namesErased },
  'customers/…/accounts': { why: 'The customer’s id on a tenant’s own Stripe account, to charge them.', until: erased },
  paymentMethods: { why: 'Saved cards as the customer is shown them.', until: erased },
  payments: { why: 'What was paid: the contract, and what the books are made of.', until: namesErased },
  subscriptions: { why: 'What the customer subscribes to.', until: namesErased },
  orders: { why: 'What the customer ordered.', until: numbers },
  invoices: { why: 'Stripe’s invoices of subscriptions.', until: namesErased },
  checkouts: { why: 'Pages at Stripe that were opened to pay on.', until: namesErased },
  disputes: { why: 'Payments that a bank disputes, and how that ended.', until: numbers },
  approvals: { why: 'What one administrator asked another to confirm.', until: namesErased },
  refunds: { why: 'Money that went back, and why.', until: namesErased },
  refundOrders: { why: 'How a refund was asked of Stripe.', until: namesErased },
  receipts: {
    why: 'Receipts and credit notes.',
    until: byLaw('The names', bookkeeping),
  },
  sessions: { why: 'Coaching sessions: who, when, what was paid.', until: namesErased },
  'sessions/…/notes': { why: 'A coach’s private notes on a session.', until: erased },
  coaches: { why: 'The coach’s account, terms and payouts.', until: namesErased },
  'coaches/…/earnings': { why: 'What a coach may see of a payment to them.', until: namesErased },
  availability: { why: 'When the coach can be booked.', until: erased },
  coachDays: { why: 'What of a coach’s day is taken, so that no time is given twice.', until: erased },
  products: { why: 'What the coach sells.', until: 'As long as the application’s administration keeps it.' },
  sellerIdentities: {
    why: 'Who the coach is to the tax authority, to which a platform reports its sellers (lag 2022:1681).',
    until: byLaw('All of it', sellers),
  },
  payouts: { why: 'What was paid out to the coach.', until: numbers },
  'payouts/…/items': { why: 'What a payout is made of.', until: numbers },
  payoutInvoices: {
    why: 'Invoices that go with payouts.',
    until: byLaw('The coach’s name, address and VAT number', bookkeeping),
  },
  'payoutRuns/…/coaches': { why: 'Why a coach was paid or not on a day.', until: numbers },
  transfers: { why: 'Money sent to the coach’s balance at Stripe, or taken back.', until: numbers },
  ledger: { why: 'The books: what was earned, paid out and taken back.', until: numbers },
  mail: { why: 'Letters that were sent.', until: erased },
  requests: { why: 'Commands that were given, so that none is carried out twice.', until: erased },
  limits: { why: 'How often costly functions were called, against abuse.', until: 'Thirty days after the last call.' },
  flags: { why: 'What an administrator had to look at.', until: 'For good: ids and amounts, no name.' },
  auditLog: {
    why: 'What an administrator decided about the person, or looked at.',
    until: `${byLaw('What is said in words about a coach’s terms, payouts and debts', bookkeeping)} The rest for good: it is the proof.`,
  },
  erasures: { why: 'That the person was erased: what and why, in numbers.', until: 'For good: it is the proof.' },
} as const satisfies Readonly<Record<string, Room>>;

export type RoomName = keyof typeof rooms;

const copies = 'Holds ids and amounts that the documents shown here have too; no name.';
const noPerson = 'Holds nothing of a person.';

/** Collections of which nothing is shown, and why. */
export const unseen = {
  stripeEvents:
    'What Stripe told of payments and accounts, which the documents shown here are made of, under Stripe’s ids and not the person’s. Emptied 28 days after it was applied.',
  vouchers: copies,
  payoutRuns: copies,
  payoutLocks: copies,
  invoiceSeries: copies,
  closedSums: 'Sums over everybody.',
  reconciliations: copies,
  'reconciliations/…/accounts': copies,
  reconciliationRanges: copies,
  'reconciliationRanges/…/accounts': copies,
  platformPayouts: noPerson,
  stripeOwn: noPerson,
  fortnoxConnections: 'An administrator’s attempt to connect Fortnox, which is gone after ten minutes.',
  settings: noPerson,
  locks: noPerson,
} as const satisfies Readonly<Record<string, string>>;

/** `sessions/abc/notes/one` -> `sessions/…/notes`. */
export const roomOf = (path: string): string =>
  path
    .split('/')
    .slice(0, -1)
    .map((segment, index) => (index % 2 === 0 ? segment : '…'))
    .join('/');
