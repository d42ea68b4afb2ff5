import { businessDate } from '../../platform/clock.ts';
import { awaitingApproval, bookedOtherwise, disputed, owing, subscribed } from './made.ts';
import { requestId, type Plays } from './play.ts';

export const administrators: Plays = {
  setCoachTerms: {
    does: 'A coach’s terms: fee, charge model, refunds of their own, invoicing, cadence, hold.',
    as: 'admin',
    input: () => ({ coachId: 'karin', note: 'Agreed.', feePercent: 15, requestId }),
  },
  refundPayment: {
    does: 'Gives a payment back, all or part of it; coaches their own, where their terms allow. Above the limit a second administrator confirms.',
    as: 'admin',
    input: async (stage) => ({ paymentId: await stage.buy(), reason: 'Ill', requestId }),
  },
  payPlatform: {
    does: 'Sends the platform’s own money to its bank, and leaves behind what is others’.',
    as: 'admin',
    input: async (stage) => {
      await stage.buy();
      return { requestId };
    },
  },
  runPayouts: {
    does: 'A run by hand: for all who are due that day, or a payout of what is payable to one coach.',
    as: 'admin',
    input: async (stage) => {
      await stage.buy();
      return { coachId: 'karin', requestId };
    },
  },
  submitDisputeEvidence: {
    does: 'Answers a dispute in words, filled in from our records where none are given. `submit` sends it to the bank, once.',
    as: 'admin',
    input: async (stage) => ({ disputeId: await disputed(stage), submit: true, requestId }),
  },
  writeOffDebt: {
    does: 'Gives up what a coach owes. Above the limit a second administrator confirms.',
    as: 'admin',
    input: async (stage) => {
      await owing(stage);
      return { coachId: 'karin', reason: 'Gone abroad', requestId };
    },
  },
  approveOperation: {
    does: 'Confirms what another administrator asked for, and has it done.',
    as: 'second admin',
    input: async (stage) => ({ approvalId: await awaitingApproval(stage), requestId }),
  },
  rejectOperation: {
    does: 'Refuses what another administrator asked for.',
    as: 'second admin',
    input: async (stage) => ({ approvalId: await awaitingApproval(stage), requestId }),
  },
  erasePerson: {
    does: 'Erases a person, customer or coach: name, address and letters go, here and at Stripe; what the law on books wants is kept until its time has come, and erased then. Refused while money is open. With `state` `erasing` the sweep goes on with it.',
    as: 'admin',
    input: async (stage) => {
      await stage.buy();
      return { uid: 'eva', note: 'Asked by letter.', requestId };
    },
  },
  exportPerson: {
    does: 'Everything that is kept about a person, customer, coach or both, page by page: the caller’s own, or for an administrator anybody’s, who is then in the audit log. `collections` says why it is kept and until when; what is somebody else’s is in `hidden`, with why.',
    as: 'admin',
    input: async (stage) => {
      await stage.buy();
      return { uid: 'eva' };
    },
  },
  sendInvoice: {
    does: 'Has a final invoice sent to its customer: by Stripe, or as a letter where Stripe charges it by itself.',
    as: 'admin',
    input: async (stage) => {
      await subscribed(stage);
      const [invoice] = (await stage.ctx.db.collection('invoices').where('userId', '==', 'eva').get()).docs;
      return { invoiceId: invoice?.id, requestId };
    },
  },
  runReconciliation: {
    does: 'Proves some days by hand, at most 366 that are over: ledger, Stripe and Fortnox at both ends and everything in between. The proof comes in `reconciliationRanges/{reconciliationId}`; `state` is `done` when it is whole.',
    as: 'admin',
    input: async (stage) => {
      await stage.buy();
      return { from: '2026-11-02', to: '2026-11-08', requestId };
    },
  },
  matchBankStatement: {
    does: 'Holds the platform’s payouts and top-ups against a statement of its bank (CSV with a heading, or camt.053): what arrived, what is missing, what of Stripe’s is not ours. Books nothing.',
    as: 'admin',
    input: () => ({ format: 'csv', content: 'Datum;Text;Belopp\n2026-11-05;STRIPE;100,00\n' }),
  },
  connectFortnox: {
    does: 'The page where a system administrator of the company consents in Fortnox; it ends at `fortnoxCallback`, which tells how it went.',
    as: 'admin',
    input: () => ({}),
  },
  runAccountingSync: {
    does: 'Makes vouchers of everything that has none yet and queues them for Fortnox, as the night does.',
    as: 'admin',
    input: async (stage) => {
      await stage.buy();
      return { requestId };
    },
  },
  explainTransaction: {
    does: 'Says what a balance transaction of Stripe’s is that nothing explains (an adjustment, say), by its id and the account it is on, and books it once with Stripe’s amounts: as Stripe’s `fee`, a `reserve`, a `topup` from the bank, a `loss` (or gain) of the platform’s, or the `coach`’s whose account it is.',
    as: 'admin',
    input: async (stage) => {
      const order = { type: 'adjustment', amount: -1_250, description: 'Correction' };
      const { id } = await stage.control<{ id: string }>('stripe', 'balance_transactions', order);
      return { balanceTransactionId: id, as: 'loss', reason: 'Taken in error', requestId };
    },
  },
  exportSie: {
    does: 'Every voucher of a period as a SIE 4I file. `complete` is false while something of the period is in no voucher yet.',
    as: 'admin',
    input: () => ({ from: '2026-01-01', to: '2026-01-31', requestId }),
  },
  exportTransactions: {
    does: 'Transactions, fees, refunds, disputes and payouts of a period, as a table (CSV) or a workbook (XLSX).',
    as: 'admin',
    input: () => ({ from: '2026-01-01', to: '2026-01-31', format: 'csv', requestId }),
  },
  getDac7Report: {
    does: 'What a platform reports of its sellers for a year: consideration, fees and activities by quarter, and what is not known of whom. A hundred coaches a page; `csv` gives the page as a file too; `xml` as the OECD’s message (DPI 1.0) of those who have no `obstacles`, checked before it is given out.',
    as: 'admin',
    input: async (stage) => {
      await stage.buy();
      return { year: stage.now().getUTCFullYear() };
    },
  },
  retryVoucher: {
    does: 'Has a voucher that Fortnox rejected sent again. `redraw`: one that was rejected, or is held, is first drawn up anew by the rules and the configuration of now.',
    as: 'admin',
    input: async (stage) => {
      await stage.ctx.db.doc('vouchers/v_measured').set({ id: 'v_measured', state: 'rejected', attempts: 1 });
      return { voucherId: 'v_measured' };
    },
  },
  correctVoucher: {
    does: 'Corrects a posted voucher: another takes it back, and a new one books its documents by the rules and the configuration of now; both are dated today. `state` `ready`: they are on their way to Fortnox.',
    as: 'admin',
    input: async (stage) => ({ voucherId: await bookedOtherwise(stage), reason: 'Wrong profile', requestId }),
  },
  correctVouchers: {
    does: 'The same for the vouchers dated in a period, at most fifty a page; those that are right, or cannot be corrected, are left and named. The same `requestId` serves for every page.',
    as: 'admin',
    input: async (stage) => {
      await bookedOtherwise(stage);
      const day = businessDate(stage.now());
      return { from: day, to: day, reason: 'Wrong profile', requestId };
    },
  },
};
