import { approvedTerms } from '../coaches/settings.service.ts';
import { refundApproved } from '../payments/refunds/refunds.service.ts';
import { writeOffApproved } from '../payments/disputes/write-off.service.ts';
import type { ApprovedActions } from './decisions.service.ts';

/** What can wait for a second administrator, and how it is done once confirmed. */
export const approvedActions: ApprovedActions = {
  refundPayment: refundApproved,
  setCoachTerms: approvedTerms,
  writeOffDebt: writeOffApproved,
};
