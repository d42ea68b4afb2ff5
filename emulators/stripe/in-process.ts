/** The real `stripe` package on the core without a network: for simulations that play weeks in one process. */
import type Stripe from 'stripe';
import type { CoreResponse, StripeCore } from './core/core.ts';

type HttpClient = NonNullable<Stripe.StripeConfig['httpClient']>;
type HttpResponse = Awaited<ReturnType<HttpClient['makeRequest']>>;

export interface InProcessOptions {
  /** Waits for an injected delay, in milliseconds; without it no time is spent. */
  wait?: (ms: number) => Promise<void>;
  /** Called before each request reaches the core and before its answer comes back: where a scheduler may stop the code. */
  pause?: (moment: 'before' | 'after', request: { method: string; path: string }) => Promise<void>;
}

/**
 * `new Stripe('sk_test_sim', { httpClient: createInProcessHttpClient(core) })`. A broken connection is the same error
 * the network gives: the SDK itself tries once more on ECONNRESET, so here it is a timeout, which it does not.
 */
export function createInProcessHttpClient(core: StripeCore, options: InProcessOptions = {}): HttpClient {
  const wait = options.wait ?? (() => Promise.resolve());
  return {
    getClientName: () => 'emulator',
    async makeRequest(_host, _port, path, method, headers, requestData) {
      await options.pause?.('before', { method, path });
      const lower = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [
          name.toLowerCase(),
          Array.isArray(value) ? value.join(', ') : String(value),
        ]),
      );
      const reply = core.handle({ method, path, headers: lower, body: requestData });
      const { transport } = reply;
      if (transport.kind !== 'reply') await wait(transport.delayMs);
      if (transport.kind === 'hang') transport.release();
      if (transport.kind === 'break') throw Object.assign(new TypeError('ETIMEDOUT'), { code: 'ETIMEDOUT' });
      await options.pause?.('after', { method, path });
      return answer(reply);
    },
  };
}

function answer(reply: CoreResponse): HttpResponse {
  // Through text, as over the network: nobody may hold the emulator's own objects.
  const text = JSON.stringify(reply.body);
  return {
    getStatusCode: () => reply.status,
    getHeaders: () => reply.headers,
    getRawResponse: () => reply,
    toStream: (done) => {
      done();
      return new Blob([text]).stream();
    },
    toJSON: () => Promise.resolve(JSON.parse(text) as unknown),
  };
}
