import http, { createServer, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Signer } from './jwt.ts';

/**
 * Stands where Google's hosts stand for the Admin SDK: the certificates of Firebase Auth and App Check, and the look-up of
 * a login. Only the line is another (https.request is led here); the SDK verifies as it does in production.
 */
export interface Google {
  /** What Auth says of logins; a uid not listed is not there. */
  logins: Map<string, { disabled?: boolean; validSince?: number }>;
  /** No certificate can be had, as without a network. */
  certificatesReachable: boolean;
  /** Auth answers questions about logins. */
  loginsReachable: boolean;
  asked: string[];
  close(): Promise<void>;
}

const securetoken = '/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com';

export async function startGoogle(signer: Signer): Promise<Google> {
  const state: Omit<Google, 'close'> = {
    logins: new Map(),
    certificatesReachable: true,
    loginsReachable: true,
    asked: [],
  };
  const answerTo = async (req: IncomingMessage): Promise<object | undefined> => {
    const path = req.url ?? '';
    state.asked.push(path.replace(/\?.*/, ''));
    if (path.includes('accounts:lookup') && !state.loginsReachable) return undefined;
    if (path.includes('accounts:lookup')) return lookUp(state.logins, await textOf(req));
    if (!state.certificatesReachable) return undefined;
    if (path === securetoken) return { [signer.kid]: signer.publicPem };
    return path === '/v1/jwks' ? { keys: [signer.jwk] } : undefined;
  };
  const server = createServer((req, res) => {
    void answerTo(req).then((body) => {
      res.writeHead(body ? 200 : 500, { 'Content-Type': 'application/json' });
      res.end(JSON.stringify(body ?? { error: 'not to be had' }));
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const led = (options: RequestOptions, answered?: (res: IncomingMessage) => void): ClientRequest => {
    const here = { host: '127.0.0.1', hostname: '127.0.0.1', port, protocol: 'http:', agent: undefined };
    return http.request({ ...options, ...here }, answered);
  };
  const spy = jest.spyOn(https, 'request').mockImplementation(led as typeof https.request);
  return Object.assign(state, {
    async close() {
      spy.mockRestore();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  });
}

function lookUp(logins: Google['logins'], asked: string): object {
  const { localId = [] } = JSON.parse(asked) as { localId?: string[] };
  const users = localId.flatMap((uid) => {
    const login = logins.get(uid);
    if (!login) return [];
    return [{ localId: uid, disabled: login.disabled ?? false, validSince: String(login.validSince ?? 1) }];
  });
  return users.length > 0 ? { users } : {};
}

async function textOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
