import type { Firestore, Timestamp } from 'firebase-admin/firestore';
import { FortnoxError } from './errors.ts';

/** `settings/fortnox`: the company that was connected (connectFortnox). Clients cannot read it. */
export interface ConnectedCompany {
  /** Fortnox's DatabaseNumber; what a token is asked for with. */
  tenantId: string;
  name: string;
  organizationNumber: string;
  connectedBy: string;
  connectedAt: Timestamp;
}

export const connectedPath = 'settings/fortnox';

/** The tenant to ask tokens for where no param names one. Throws FortnoxError `unauthorized` while nothing is connected. */
export async function connectedTenant(db: Firestore): Promise<string> {
  const connected = (await db.doc(connectedPath).get()).data() as ConnectedCompany | undefined;
  if (connected) return connected.tenantId;
  throw new FortnoxError('No Fortnox company is connected. An administrator connects it (connectFortnox).', {
    kind: 'unauthorized',
  });
}

/** Files are attached to vouchers of a day only; each scope costs the company a licence. */
export const scopesFor = (grouping: 'transaction' | 'day'): readonly string[] => [
  'bookkeeping',
  'companyinformation',
  'settings',
  ...(grouping === 'day' ? ['inbox', 'connectfile'] : []),
];
