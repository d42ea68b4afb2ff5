import { Timestamp } from 'firebase-admin/firestore';
import type { Availability, CoachDay } from '../sessions/availability.ts';
import { bookSession, type BookInput, type BookReply } from '../sessions/booking.service.ts';
import type { Session } from '../sessions/sessions.ts';
import { openShop, type Shop } from './shop.ts';

/** A shop whose coach Karin can be booked at any hour of the day: a session of 600 kr, a bundle of two for 1000. */
export interface Bookings extends Shop {
  /** A whole hour, so many hours from now. */
  inHours(hours: number): Date;
  /** Lisa books an hour, 48 hours ahead unless told. */
  book(more?: Partial<BookInput> & { hours?: number }, by?: Person): Promise<BookReply>;
  session(id: string): Promise<Session>;
  /** The sessions that hold a time of Karin's. */
  holders(): Promise<string[]>;
}

type Person = typeof lisa;
const person = (uid: string, name: string) => ({ uid, name, email: `${uid}@example.se`, coach: false, admin: false });
export const lisa = person('lisa', 'Lisa Kund');
export const omar = person('omar', 'Omar Kund');

export const everyHour: Pick<Availability, 'weekly' | 'exceptions' | 'noticeHours' | 'horizonDays'> = {
  weekly: [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, from: '00:00', to: '24:00' })),
  exceptions: [],
  noticeHours: 0,
  horizonDays: 365,
};

export async function openBookings(terms: Parameters<typeof openShop>[0] = {}): Promise<Bookings> {
  const shop = await openShop(terms);
  const { db } = shop.ctx;
  const sold = { currency: 'SEK', vatRate: 25, active: true, coachId: 'karin' };
  await db.doc('products/hour').set({ ...sold, name: 'An hour', kind: 'session', amountMinor: 60_000 });
  await db.doc('products/two').set({ ...sold, name: 'Two', kind: 'bundle', amountMinor: 100_000, credits: 2 });
  const at = Timestamp.fromDate(shop.now());
  await db.doc('availability/karin').set({ ...everyHour, createdAt: at, updatedAt: at });
  let booked = 0;
  const inHours = (hours: number) => new Date(Math.ceil(shop.now().getTime() / 3_600_000 + hours) * 3_600_000);
  return {
    ...shop,
    inHours,
    book({ hours = 48, ...more } = {}, by = lisa) {
      const input = { productId: 'hour', startsAt: inHours(hours).toISOString(), requestId: `booking-${++booked}` };
      return bookSession(shop.ctx, by, { ...input, ...more });
    },
    async session(id) {
      const session = await shop.read<Session>(`sessions/${id}`);
      if (!session) throw new Error(`No session ${id}.`);
      return session;
    },
    holders: async () => (await shop.all<CoachDay>('coachDays')).flatMap(({ taken }) => Object.keys(taken)),
  };
}
