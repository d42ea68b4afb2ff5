import type { FlagInput } from '../flags.ts';

export const waitsFlagId = (uid: string): string => `erasure-waits_${uid}`;

export const erasureWaits = (uid: string, step: string): FlagInput => ({
  id: waitsFlagId(uid),
  kind: 'erasure-waits',
  severity: 'warning',
  subject: `erasures/${uid}`,
  message: `The erasure of ${uid} has not gone on for a week; it is at "${step}". The law gives it a month.`,
  action:
    'Look what of theirs is open (a subscription, a payment, a receipt that cannot be made) and end it; ask erasePerson again and it says what. The sweep then goes on.',
});
