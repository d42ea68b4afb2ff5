import { Timestamp } from 'firebase-admin/firestore';
import type { ChargeModel } from '../../coaches/terms.ts';
import type { Product } from '../../payments/products.ts';
import type { Caller } from '../../platform/auth.ts';
import { minor } from '../../platform/money.ts';
import { everyHour } from '../bookings.ts';
import { bringCoach, type CoachLike, type Stage } from '../weeks/stage.ts';

/** Who is in the books' months beside the market's coaches: each charge model, each kind of product, each VAT rate. */
const coaches = {
  karin: { terms: { chargeModel: 'destination' }, payoutSettings: { cadence: 'daily' } },
  sara: {
    terms: { chargeModel: 'separate' },
    payoutSettings: { cadence: 'daily' },
    vatNumber: 'SE800101123401',
  },
  // A tenant: the charges are on the account itself, and only the fee is ours.
  store: { terms: { chargeModel: 'direct' }, payoutSettings: { cadence: 'weekly' } },
} as const satisfies Record<string, CoachLike & { terms: { chargeModel: ChargeModel } }>;

export type CastCoach = keyof typeof coaches;

type Catalogue = Record<string, Pick<Product, 'kind' | 'vatRate'> & Partial<Product> & { price: number }>;

const monthly = { kind: 'subscription', interval: 'month', vatRate: 25 } as const;
/** Prices in öre whose VAT does not come out even. */
const products = {
  premium: { ...monthly, price: 9_900 },
  mat: { kind: 'good', vatRate: 25, price: 39_901 },
  lunch: { kind: 'good', vatRate: 12, price: 11_111 },
  book: { kind: 'good', vatRate: 6, price: 12_345 },
  course: { kind: 'programme', vatRate: 0, price: 49_900, accessWeeks: 4 },
  programme: { kind: 'programme', vatRate: 25, price: 49_900, accessWeeks: 4, coachId: 'karin' },
  talk: { kind: 'good', vatRate: 25, price: 33_333, coachId: 'sara' },
  guide: { kind: 'good', vatRate: 6, price: 9_995, coachId: 'sara' },
  hour: { kind: 'session', vatRate: 25, price: 60_000, coachId: 'sara' },
  bundle: { kind: 'bundle', vatRate: 25, price: 100_000, credits: 3, coachId: 'sara' },
  coaching: { ...monthly, price: 49_999, coachId: 'sara' },
  tent: { kind: 'good', vatRate: 25, price: 25_001, coachId: 'store' },
  yurt: { kind: 'good', vatRate: 25, price: 250_001, coachId: 'store' },
  club: { ...monthly, price: 15_000, coachId: 'store' },
} as const satisfies Catalogue;

export type CastProduct = keyof typeof products;

/** Brings them all onto the stage; returns the coaches' accounts at Stripe. */
export async function bringCast(stage: Stage): Promise<Record<CastCoach, string>> {
  const { db } = stage.ctx;
  for (const [id, { price, ...product }] of Object.entries(products)) {
    const sold: Product = { ...product, name: id, amountMinor: minor(price), currency: 'SEK', active: true };
    await db.doc(`products/${id}`).set(sold);
  }
  const at = Timestamp.fromDate(stage.now());
  await db.doc('availability/sara').set({ ...everyHour, createdAt: at, updatedAt: at });
  return {
    karin: await bringCoach(stage, 'karin', coaches.karin),
    sara: await bringCoach(stage, 'sara', coaches.sara),
    store: await bringCoach(stage, 'store', coaches.store),
  };
}

/** One of the customers; each has their own address. */
export const member = (number: number): Caller => ({
  uid: `member${number}`,
  email: `member${number}@example.se`,
  name: `Member ${number}`,
  coach: false,
  admin: false,
});

export const anna: Caller = { uid: 'anna', coach: false, admin: true };
