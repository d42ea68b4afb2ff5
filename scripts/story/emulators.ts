import { getJson, postJson, request } from './http.ts';

/** The Stripe emulator as the story uses it: its control API, and Stripe's own API with the secret key for the checks. */
export interface StripeSide {
  now(): Promise<Date>;
  /** Moves the clock forward to this instant; never back. */
  moveTo(at: Date): Promise<void>;
  /** Waits until every webhook delivery is done. */
  settle(): Promise<void>;
  balance(account?: string): Promise<{ available: number; pending: number }>;
  payouts(account: string): Promise<{ id: string; amount: number; status: string }[]>;
  undelivered(): Promise<number>;
}

interface Balance {
  available: { amount: number }[];
  pending: { amount: number }[];
}

const total = (amounts: { amount: number }[]): number => amounts.reduce((sum, { amount }) => sum + amount, 0);

export function stripeSide(url: string, secretKey: string): StripeSide {
  const headers = (account?: string): Record<string, string> => ({
    Authorization: `Bearer ${secretKey}`,
    ...(account ? { 'Stripe-Account': account } : {}),
  });
  const side: StripeSide = {
    async now() {
      return new Date((await getJson<{ now: number }>(`${url}/_emulator/clock`)).now * 1000);
    },
    async moveTo(at) {
      if (at > (await side.now())) await postJson(`${url}/_emulator/clock`, { now: Math.floor(at.getTime() / 1000) });
      await side.settle();
    },
    async settle() {
      const { pending } = await postJson<{ pending: number }>(`${url}/_emulator/settle`, { timeoutMs: 30_000 });
      if (pending > 0)
        throw new Error(
          `${pending} webhook deliveries are still under way after 30 s. See GET ${url}/_emulator/deliveries`,
        );
    },
    async balance(account) {
      const balance = await getJson<Balance>(`${url}/v1/balance`, headers(account));
      return { available: total(balance.available), pending: total(balance.pending) };
    },
    async payouts(account) {
      return (
        await getJson<{ data: { id: string; amount: number; status: string }[] }>(
          `${url}/v1/payouts?limit=100`,
          headers(account),
        )
      ).data;
    },
    async undelivered() {
      return (await getJson<{ data: unknown[] }>(`${url}/v1/events?delivery_success=false`, headers())).data.length;
    },
  };
  return side;
}

/** Fortnox's own sums over its vouchers: {account: öre}, debit positive. Accounts that sum to zero are left out. */
export async function fortnoxTrialBalance(url: string): Promise<Record<string, number>> {
  const balance = await getJson<Record<string, number>>(`${url}/_emulator/trial-balance`);
  return Object.fromEntries(Object.entries(balance).filter(([, minor]) => minor !== 0));
}

/** What a coach types into Stripe's onboarding page. The IBAN is Stripe's Swedish test account that takes payouts. */
const answers = {
  firstName: 'Karin',
  lastName: 'Coach',
  email: 'karin@example.se',
  phone: '+46701234567',
  birthDate: '1985-04-12',
  street: 'Storgatan 1',
  postalCode: '11122',
  city: 'Stockholm',
  iban: 'SE3550000000054910000003',
};

/** Opens Stripe's onboarding page, fills in every field that it has and sends it, as a coach's browser would. */
export async function completeOnboarding(pageUrl: string, iban = answers.iban): Promise<void> {
  const page = await (await request(pageUrl)).text();
  const known: Record<string, string> = { ...answers, iban };
  const fields = new URLSearchParams();
  for (const [, name = ''] of page.matchAll(/<input[^>]*name="([^"]*)"/g)) {
    const answer = known[name];
    if (answer === undefined)
      throw new Error(`The onboarding page asks for ${name}, which the story has no answer to.`);
    fields.set(name, answer);
  }
  if (fields.size === 0)
    throw new Error(`The onboarding page at ${pageUrl} has no form: the link was used or is too old.`);
  await request(pageUrl, { method: 'POST', body: fields, redirect: 'manual' });
}
