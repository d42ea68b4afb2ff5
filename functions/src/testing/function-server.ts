import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { http, type HttpFunction } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';

/** The exported functions, each behind the real functions-framework (its body parsing, its raw body), on free ports. */
export interface FunctionServers {
  urlOf(name: string): string;
  close(): Promise<void>;
}

export async function serveFunctions(functions: Record<string, unknown>): Promise<FunctionServers> {
  const servers = new Map<string, Server>();
  const urls = new Map<string, string>();
  for (const [name, fn] of Object.entries(functions)) {
    http(name, fn as HttpFunction);
    const server = getTestServer(name);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    servers.set(name, server);
    urls.set(name, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }
  return {
    urlOf(name) {
      const url = urls.get(name);
      if (!url)
        throw new Error(`No function is exported under the name ${name}. There are: ${[...urls.keys()].join(', ')}.`);
      return url;
    },
    async close() {
      for (const server of servers.values()) {
        server.closeAllConnections();
        await new Promise((closed) => server.close(closed));
      }
    },
  };
}
