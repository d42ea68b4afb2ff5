import { startFortnoxEmulator } from '../../../../emulators/fortnox/index.ts';
import { postJson } from '../../../../scripts/story/http.ts';

/** What Fortnox was asked, and how closely together. */
export interface Calls {
  of: Map<string, number>;
  inAll: number;
  tokens: number;
  turnedAway: number;
  /** The most in 5 s, of which Fortnox counts the requests. */
  inWindow: number;
  /** The first voucher's: it reads the year, the series, the chart and the lock, too. */
  first: number;
  /** The most of one of the others. */
  most: number;
}

export interface CountedFortnox {
  url: string;
  calls: Calls;
  /** Counts what the task that has just ended has asked; returns how many requests that were. */
  count(): number;
  close(): Promise<void>;
}

const windowMs = 5_000;
/** With what the emulator has, three pages, as charts of BAS are. */
const moreAccounts = Array.from({ length: 1_200 }, (_, at) => ({ number: 7_000 + at }));

export async function countedFortnox(clock: () => number): Promise<CountedFortnox> {
  const emulator = await startFortnoxEmulator({ clock });
  await postJson(`${emulator.url}/_emulator/state`, { accounts: moreAccounts });
  const calls: Calls = { of: new Map(), inAll: 0, tokens: 0, turnedAway: 0, inWindow: 0, first: 0, most: 0 };
  let recent: number[] = [];
  return {
    url: emulator.url,
    calls,
    count() {
      // Taken away, because the emulator keeps the last thousand only.
      const requests = emulator.core.state().requests.splice(0);
      const asked = requests.filter(({ url }) => url.startsWith('/3/'));
      calls.tokens += requests.length - asked.length;
      if (calls.inAll === 0) calls.first = asked.length;
      else calls.most = Math.max(calls.most, asked.length);
      calls.inAll += asked.length;
      for (const { method, url, status } of asked) {
        if (status === 429) calls.turnedAway++;
        const what = `${method} ${url.replace(/\?.*/, '').replace(/(voucherseries)\/.*/, '$1')}`;
        calls.of.set(what, (calls.of.get(what) ?? 0) + 1);
      }
      recent = [...recent, ...asked.map(({ at }) => at)].filter((at) => at > clock() - windowMs);
      calls.inWindow = Math.max(calls.inWindow, recent.length);
      return requests.length;
    },
    close: () => emulator.close(),
  };
}
