export { processPayment } from './payments/payments.api.ts';
export { createCheckoutSession, createPortalSession } from './payments/checkout/checkout.api.ts';
export {
  cancelSubscription,
  createSubscription,
  resumeSubscription,
  updateSubscription,
} from './payments/subscriptions/subscriptions.api.ts';
export { listPayments } from './payments/history/history.api.ts';
export { sendInvoice } from './payments/invoices/invoices.api.ts';
export { submitDisputeEvidence, writeOffDebt } from './payments/disputes/disputes.api.ts';
export { refundPayment } from './payments/refunds/refunds.api.ts';
export { cancelOrder, createOrder } from './payments/orders/orders.api.ts';
export {
  createSetupIntent,
  listPaymentMethods,
  removePaymentMethod,
  setDefaultPaymentMethod,
} from './payments/methods/methods.api.ts';
export {
  createCoachAccountSession,
  createCoachLoginLink,
  getCoachStatus,
  startCoachOnboarding,
} from './coaches/coaches.api.ts';
export { setCoachTerms, updatePayoutSettings } from './coaches/settings.api.ts';
export { bookSession, listSessionTimes, setAvailability } from './sessions/booking.api.ts';
export { addSessionNote, cancelSession, completeSession, rescheduleSession } from './sessions/life.api.ts';
export { payCoach, schedulePayouts } from './payouts/payouts.api.ts';
export { requestPayout, retryPayout, runPayouts } from './payouts/by-hand.api.ts';
export { payPlatform } from './payouts/platform/platform.api.ts';
export { getCoachEarnings, getPayoutInvoice, getPayoutStatement, listPayouts } from './payouts/reports.api.ts';
export { connectFortnox, fortnoxCallback } from './accounting/connection/connection.api.ts';
export { getDac7Report, setSellerIdentity } from './accounting/dac7/dac7.api.ts';
export { getReceipt } from './accounting/receipts/receipts.api.ts';
export {
  correctVoucher,
  correctVouchers,
  postVoucher,
  retryVoucher,
  runAccountingSync,
  syncAccounting,
} from './accounting/accounting.api.ts';
export { explainTransaction } from './accounting/stripe-own/stripe-own.api.ts';
export { exportSie, exportTransactions } from './accounting/exports/exports.api.ts';
export { reconcile, reconcileCoach, sweep } from './reconciliation/reconciliation.api.ts';
export { runReconciliation } from './reconciliation/range.api.ts';
export { matchBankStatement } from './reconciliation/bank/bank.api.ts';
export { stripeWebhook } from './webhooks/webhooks.api.ts';
export { approveOperation, rejectOperation } from './admin/approvals.api.ts';
export { erasePerson, exportPerson } from './admin/privacy/privacy.api.ts';
export { api } from './rest.api.ts';
