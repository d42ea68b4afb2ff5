import { Agent, request } from 'node:http';

export interface Answer {
  /** 0: no answer within ten seconds, or the line was cut without one. */
  status: number;
  body: string;
  headers: NodeJS.Dict<string | string[]>;
}

/** Keeps connections: thousands of requests to a few servers. */
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/** Sends exactly these headers, repeated ones too, which fetch would tidy up. */
export function send(url: string, method: string, headers: [string, string][], body: string | Buffer): Promise<Answer> {
  const payload = Buffer.from(body);
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const length: [string, string][] = given.has('content-length') ? [] : [['Content-Length', String(payload.length)]];
  return new Promise((answered) => {
    const failed = (why: string) => answered({ status: 0, body: why, headers: {} });
    const list = [['Host', new URL(url).host], ...headers, ...length].flat();
    const req = request(url, { method, agent, timeout: 10_000, headers: list }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () =>
        answered({
          status: res.statusCode ?? 0,
          body: Buffer.concat(chunks).toString('utf8'),
          headers: res.headers,
        }),
      );
      res.on('error', (error) => failed(String(error)));
    });
    req.on('timeout', () => req.destroy(new Error('no answer within ten seconds')));
    req.on('error', (error) => failed(String(error)));
    req.end(payload);
  });
}

export const closeConnections = (): void => agent.destroy();
