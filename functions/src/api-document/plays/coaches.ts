import { setCoachTermsSpec } from '../../coaches/settings.api.ts';
import { days } from '../../platform/clock.ts';
import { answer } from '../../platform/entrance.ts';
import { canceledPayout, paidOut } from './made.ts';
import { page, people, requestId, type Plays } from './play.ts';
import { paidSession } from './sessions.ts';

export const coaches: Plays = {
  startCoachOnboarding: {
    does: 'Makes the coach’s account at Stripe and a link to Stripe’s form; called again, a fresh link for the same account.',
    as: 'new coach',
    input: () => ({ returnUrl: `${page}/return`, refreshUrl: `${page}/refresh` }),
  },
  createCoachAccountSession: {
    does: 'The same inside our own page, by Stripe’s embedded components.',
    as: 'new coach',
    input: () => ({}),
  },
  createCoachLoginLink: {
    does: 'A link to the coach’s own dashboard at Stripe.',
    as: 'coach',
    input: () => ({}),
  },
  getCoachStatus: {
    does: 'How far the coach’s account is, what Stripe still wants, and the terms.',
    as: 'coach',
    input: () => ({}),
  },
  updatePayoutSettings: {
    does: 'How often the coach is paid, and from which amount on.',
    as: 'coach',
    input: () => ({ cadence: 'monthly', requestId }),
  },
  setAvailability: {
    does: 'When a coach can be booked: hours of the week in Stockholm’s time, days off, extra hours, notice, how far ahead. It replaces what was said before; what is booked stays.',
    as: 'coach',
    input: () => ({ weekly: [{ weekday: 1, from: '09:00', to: '17:00' }], requestId }),
  },
  completeSession: {
    does: 'Says that a session took place, or that the student did not come (`no_show`). What was paid for it is the coach’s and the platform’s from then on, and the coach’s share is sent; two days after its end this happens by itself.',
    as: 'coach',
    input: async (stage) => {
      const sessionId = await paidSession(stage);
      await stage.advance(days(3));
      return { sessionId, outcome: 'completed', requestId };
    },
  },
  addSessionNote: {
    does: 'Adds a private note to a session: only its coach reads it.',
    as: 'coach',
    input: async (stage) => ({ sessionId: await paidSession(stage), text: 'Brave today.', requestId }),
  },
  setSellerIdentity: {
    does: 'Who a coach is to the tax authority, which platforms report their sellers to (DAC7): all of it each time. Stripe asks for the same and does not show it to the platform.',
    as: 'coach',
    input: () => ({
      ...{ kind: 'individual', firstName: 'Karin', lastName: 'Coach', street: 'Gatan 1', postalCode: '111 22' },
      ...{ city: 'Stockholm', country: 'SE', tin: '19811218-9876', tinCountry: 'SE', birthDate: '1981-12-18' },
    }),
  },
  getCoachEarnings: {
    does: 'What a coach has earned: in all, by week and by month, and the next payout.',
    as: 'coach',
    input: async (stage) => {
      await stage.buy();
      return {};
    },
  },
  listPayouts: {
    does: 'A coach’s payouts, the newest first, with what each is made of.',
    as: 'coach',
    input: async (stage) => {
      await paidOut(stage);
      return {};
    },
  },
  requestPayout: {
    does: 'A coach who is paid by hand asks for what is payable, or for a part of it.',
    as: 'coach',
    input: async (stage) => {
      await stage.buy();
      const payoutSettings = { cadence: 'manual', minimumMinor: 2_000 };
      await stage.ctx.db.doc('coaches/karin').update({ payoutSettings });
      return { requestId };
    },
  },
  retryPayout: {
    does: 'Another attempt at a payout that failed or was canceled.',
    as: 'coach',
    input: async (stage) => ({ payoutId: await canceledPayout(stage), requestId }),
  },
  getPayoutStatement: {
    does: 'A payout’s statement as PDF or CSV.',
    as: 'coach',
    input: async (stage) => ({ payoutId: await paidOut(stage), format: 'pdf', language: 'sv' }),
  },
  getPayoutInvoice: {
    does: 'The invoice that goes with a payout, or its credit note, as PDF.',
    as: 'coach',
    input: async (stage) => {
      await answer(stage.ctx, setCoachTermsSpec, people.admin, {
        ...{ coachId: 'karin', requestId: 'invoicing-1', note: 'Agreed.', invoicing: 'self_billing' },
        ...{ invoiceName: 'Karins coachning', invoiceAddress: 'Gatan 1, 111 22 Stockholm' },
        vatNumber: 'SE800101123401',
      });
      return { payoutId: await paidOut(stage), language: 'sv' };
    },
  },
};
