import { approvedTerms } from '../coaches/settings.service.ts';
import type { ApprovedActions } from './decisions.service.ts';

/** What can wait for a second administrator, and how it is done once confirmed. */
export const approvedActions: ApprovedActions = {
  setCoachTerms: approvedTerms,
};
