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

/** Opens Stripe's onboarding page and sends its form as it stands, like a coach who fills in everything that is asked. */
export async function completeOnboarding(pageUrl: string): Promise<void> {
  const page = await (await request(pageUrl)).text();
  const action = /<form[^>]*action="([^"]*)"/.exec(page)?.[1];
  if (action === undefined) throw new Error(`The onboarding page at ${pageUrl} has no form.`);
  const fields = new URLSearchParams();
  for (const [tag] of page.matchAll(/<input[^>]*>/g)) {
    const name = /name="([^"]*)"/.exec(tag)?.[1];
    if (name) fields.set(name, /value="([^"]*)"/.exec(tag)?.[1] ?? '');
  }
  await request(new URL(unescapeHtml(action), pageUrl).href, { method: 'POST', body: fields, redirect: 'manual' });
}

const unescapeHtml = (text: string): string =>
  text.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"');
