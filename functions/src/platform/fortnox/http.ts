import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import axios from 'axios';
import { FortnoxError } from './errors.ts';
import type { RawReply } from './reply.ts';

export type HttpRequest = {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** A body that is no text. */
  readonly bytes?: Uint8Array;
};

/** One HTTP call, any status; rejects with an `unknown` FortnoxError when no whole reply came. */
export type Send = (what: string, request: HttpRequest) => Promise<RawReply>;

const MAX_REPLY_BYTES = 20 * 1024 * 1024;

function networkCode(error: unknown): string {
  return axios.isAxiosError(error) ? (error.code ?? error.message) : 'the call could not be made';
}

const noAnswer = (what: string, timeoutMs: number, deadline: AbortSignal, error: unknown): FortnoxError => {
  // axios' error carries the request with its token and secret: only its code and text go on.
  const reason = deadline.aborted ? `nothing within ${timeoutMs} ms` : networkCode(error);
  return new FortnoxError(`${what}: no answer from Fortnox (${reason}).`, {
    kind: 'unknown',
    timedOut: deadline.aborted,
  });
};

/** A reply whose body is read as it comes; of one that is not a success the text is read at once. */
export type StreamReply = RawReply & { readonly body: AsyncIterable<Uint8Array> };

/** Sends for a body too large to hold. `timeoutMs` bounds the call and the reading together. */
export function createStream(timeoutMs: number): (what: string, request: HttpRequest) => Promise<StreamReply> {
  return async (what, { method, url, headers }) => {
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const response = await axios.request<AsyncIterable<Uint8Array>>({
        method,
        url,
        headers,
        signal: deadline,
        maxRedirects: 0,
        responseType: 'stream',
        validateStatus: () => true,
      });
      const retryAfter: unknown = response.headers['retry-after'];
      return {
        status: response.status,
        retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
        text: response.status < 300 ? '' : await textOf(response.data),
        body: bodyOf(what, response.data, timeoutMs, deadline),
      };
    } catch (error) {
      throw noAnswer(what, timeoutMs, deadline, error);
    }
  };
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function* bodyOf(
  what: string,
  body: AsyncIterable<Uint8Array>,
  timeoutMs: number,
  deadline: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw noAnswer(what, timeoutMs, deadline, error);
  }
}

/** Sends with axios. Redirects are not followed: a POST must not travel on to somewhere else by itself. */
export function createSend(timeoutMs: number): Send {
  return async (what, { method, url, headers, body, bytes }) => {
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const response = await axios.request<string>({
        method,
        url,
        headers,
        data: bytes ?? body,
        // Files take seconds to make, in which a connection kept for reuse may have been closed.
        ...(bytes ? { httpAgent: new HttpAgent(), httpsAgent: new HttpsAgent() } : {}),
        // axios' own timeout starts again with every byte; this bounds the whole call.
        signal: deadline,
        maxRedirects: 0,
        maxContentLength: MAX_REPLY_BYTES,
        responseType: 'text',
        transformRequest: [(data: unknown) => data],
        transformResponse: [(data: unknown) => data],
        validateStatus: () => true,
      });
      const retryAfter: unknown = response.headers['retry-after'];
      return {
        status: response.status,
        retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
        text: typeof response.data === 'string' ? response.data : '',
      };
    } catch (error) {
      throw noAnswer(what, timeoutMs, deadline, error);
    }
  };
}
