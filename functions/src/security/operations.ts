import { entrance, idToken, signedIn, withRole, type Entrance } from './entrance.ts';

const refund = { paymentId: 'pi_none', amountMinor: 100, reason: 'Asked for' };
const anApproval = (requestId: string) => ({ approvalId: `ap-${'0'.repeat(32)}`, requestId });

/** What administrators do, and coaches with what was paid to them: money given back, books, people's data. */
export const operations: readonly Entrance[] = [
  entrance('setCoachTerms', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: { coachId: 'coach-karin', requestId: 'coach-terms-1', note: 'Agreed.', cadence: 'weekly' },
    words: ['note'],
  }),
  entrance('sendInvoice', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: { invoiceId: 'in_unknown1', requestId: 'an-invoice-1' },
  }),
  entrance('connectFortnox', 'callable', { allowed: ['admin'], by: withRole }),
  entrance('runAccountingSync', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: { requestId: 'a-sync-1' },
    optional: ['requestId'],
  }),
  entrance('exportSie', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: { from: '2026-03-01', to: '2026-03-31', requestId: 'an-export-1' },
    optional: ['requestId'],
  }),
  entrance('exportTransactions', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: { from: '2026-03-01', to: '2026-03-31', format: 'csv', requestId: 'an-export-2' },
    optional: ['requestId'],
  }),
  entrance('runReconciliation', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: { from: '2026-11-02', to: '2026-11-08', requestId: 'a-proof-1' },
  }),
  entrance('matchBankStatement', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: { format: 'csv', content: 'Datum;Text;Belopp\n2026-11-05;STRIPE;100,00\n' },
    words: ['content'],
    lines: ['content'],
    bodyBytes: 16 * 1024 * 1024,
  }),
  entrance('explainTransaction', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: {
      balanceTransactionId: 'txn_unknown1',
      stripeAccountId: 'acct_unknown1',
      as: 'loss',
      reason: 'Stripe took it in error.',
      requestId: 'an-explanation-1',
    },
    optional: ['stripeAccountId'],
    words: ['reason'],
  }),
  entrance('retryVoucher', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: { voucherId: 'v_ch_2_sale', redraw: false },
    optional: ['redraw'],
  }),
  entrance('correctVoucher', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: { voucherId: 'v_unknown1', reason: 'Wrong profile.', requestId: 'a-correction-1' },
    words: ['reason'],
  }),
  entrance('correctVouchers', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: {
      from: '2026-03-01',
      to: '2026-03-31',
      cursor: 'v_ch_2_sale',
      reason: 'Wrong profile.',
      requestId: 'corrections-1',
    },
    optional: ['cursor'],
    words: ['reason'],
  }),
  entrance('submitDisputeEvidence', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: {
      disputeId: 'du_unknown1',
      evidence: { uncategorized_text: 'Delivered.' },
      submit: true,
      requestId: 'an-evidence-1',
    },
    optional: ['evidence'],
  }),
  entrance('writeOffDebt', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: { coachId: 'karin', paymentId: 'pi_owed', amountMinor: 100, reason: 'Gone.', requestId: 'a-write-off-1' },
    optional: ['paymentId', 'amountMinor'],
    words: ['reason'],
  }),
  entrance('refundPayment', 'callable', {
    allowed: ['coach', 'admin'],
    by: withRole,
    input: { ...refund, requestId: 'a-refund-1' },
    optional: ['amountMinor', 'reason'],
    words: ['reason'],
  }),
  entrance('approveOperation', 'callable', { allowed: ['admin'], by: withRole, input: anApproval('an-approval-1') }),
  entrance('rejectOperation', 'callable', { allowed: ['admin'], by: withRole, input: anApproval('a-rejection-1') }),
  entrance('erasePerson', 'callable', {
    allowed: ['admin'],
    by: withRole,
    input: { uid: 'customer-lisa', note: 'Asked by letter.', requestId: 'an-erasure-1' },
    words: ['note'],
  }),
  entrance('exportPerson', 'callable', {
    allowed: signedIn,
    by: `${idToken}; one’s own, an administrator anybody’s`,
    input: { uid: 'customer-lisa', cursor: 'eyJ1aWQiOiJjdXN0b21lci1saXNhIn0' },
    optional: ['uid', 'cursor'],
  }),
];
