import { businessTime } from '../platform/clock.ts';
import { both, type Letter } from '../platform/mail.ts';
import { formatMoney } from '../platform/money.ts';
import type { Session } from './sessions.ts';

/** Everybody who has a part in a session, except who knows already. */
function readers({ coachId, userId, student }: Session, except?: string): string[] {
  const all = [coachId, userId, ...(student.userId ? [student.userId] : [])];
  return [...new Set(all)].filter((uid) => uid !== except);
}

const when = ({ startsAt }: Pick<Session, 'startsAt'>): string => businessTime(startsAt.toDate());

const about = ({ description, student, customerName }: Session): { sv: string; en: string } => ({
  sv: `${description}, för ${student.name || customerName || 'en kund'}`,
  en: `${description}, for ${student.name || customerName || 'a customer'}`,
});

/** It is booked for good: paid, or with a credit. */
export const bookedLetter = (session: Session): Letter => ({
  toUids: readers(session),
  message: both(
    { sv: `Bokad: ${when(session)}`, en: `Booked: ${when(session)}` },
    [about(session).sv, `Tid: ${when(session)} (svensk tid)`],
    [about(session).en, `Time: ${when(session)} (Swedish time)`],
  ),
});

/** To the others. `session` is as it will be. */
export function canceledLetter(session: Session, by?: string): Letter {
  const { currency, reason, cancellation } = session;
  const { refundMinor = 0, credit } = cancellation ?? {};
  const back = refundMinor > 0 && cancellation ? formatMoney(cancellation.refundMinor, currency) : undefined;
  return {
    toUids: readers(session, by),
    message: both(
      { sv: `Avbokad: ${when(session)}`, en: `Canceled: ${when(session)}` },
      [
        `${about(session).sv}, ${when(session)} (svensk tid): blir inte av.`,
        ...(reason ? [reason] : []),
        ...(back ? [`Till kunden går ${back} tillbaka.`] : []),
        ...(credit === 'returned' ? ['Den förbetalda gången är kundens igen.'] : []),
      ],
      [
        `${about(session).en}, ${when(session)} (Swedish time): does not take place.`,
        ...(back ? [`${back} goes back to the customer.`] : []),
        ...(credit === 'returned' ? ['The customer has the prepaid session back.'] : []),
      ],
    ),
  };
}

export const movedLetter = (before: Session, after: Pick<Session, 'startsAt'>, by: string): Letter => ({
  toUids: readers(before, by),
  message: both(
    { sv: `Ny tid: ${when(after)}`, en: `New time: ${when(after)}` },
    [`${about(before).sv}: flyttad från ${when(before)} till ${when(after)} (svensk tid).`],
    [`${about(before).en}: moved from ${when(before)} to ${when(after)} (Swedish time).`],
  ),
});
