import type { Caller } from '../../platform/auth.ts';
import { openSubscriber, type Subscriber } from '../../testing/subscriber.ts';

/** How a callable is called once in its usual way, so that what it costs can be measured. */
export interface Play {
  /** What the callable does, in a sentence. */
  does: string;
  as: keyof typeof people;
  /** Makes what there must be before (not counted), and says what is sent. */
  input(stage: Stage): Promise<object> | object;
  /** What the customer then does at Stripe (not counted). */
  then?(stage: Stage, reply: object): Promise<unknown>;
}

export type Plays = Readonly<Record<string, Play>>;

const nobody = { coach: false, admin: false };
/** Eva has a Stripe customer, Karin an onboarded account and things to sell; Anna and Bo run the place. */
export const people = {
  customer: { uid: 'eva', email: 'eva@example.se', name: 'Eva Kund', ...nobody },
  coach: { uid: 'karin', email: 'karin@example.se', name: 'Karin Coach', coach: true, admin: false },
  'new coach': { uid: 'nils', email: 'nils@example.se', name: 'Nils Coach', coach: true, admin: false },
  admin: { uid: 'anna', email: 'anna@example.se', name: 'Anna Admin', coach: false, admin: true },
  'second admin': { uid: 'bo', email: 'bo@example.se', name: 'Bo Admin', coach: false, admin: true },
} as const satisfies Record<string, Caller>;

export type Stage = Subscriber;
export const openStage = (): Promise<Stage> => openSubscriber();

/** Money that is there at once. */
export const card = 'pm_card_bypassPending';
export const requestId = 'measured-1';
export const page = 'http://127.0.0.1:5000';
