/** The Stripe emulator as a library: its core for simulations, and the whole of it on a port for tests. */
import { randomInt } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createStripeCore } from './core/core.ts';
import type { StripeCore } from './core/core.ts';
import type { Switches } from './core/switches.ts';
import { createDeliverer, defaultDelivery } from './http/delivery.ts';
import type { DeliveryOptions } from './http/delivery.ts';
import { createStripeServer } from './http/server.ts';
import { registerEndpoint } from './resources/events-api.ts';

export { createStripeCore } from './core/core.ts';
export type { CoreOptions, CoreRequest, CoreResponse, StripeCore, Transport } from './core/core.ts';
export type { Delivery } from './core/webhooks.ts';
export type { Fault, FaultKind, FaultOrder } from './core/faults.ts';
export type { OnboardingForm } from './resources/onboarding.ts';
export type { Switches } from './core/switches.ts';
export { completeOnboarding } from './resources/onboarding.ts';
export { createInProcessHttpClient } from './in-process.ts';
export type { InProcessOptions } from './in-process.ts';
export { sign as signPayload } from './core/webhooks.ts';

/** An endpoint known from the start. */
export interface EndpointOptions {
  url: string;
  secret: string;
  connect?: boolean;
  enabledEvents?: string[];
}

export interface EmulatorOptions {
  /** 0, the default, takes a free one. */
  port?: number;
  /** `manual`: nothing is sent by itself. A switch, too. */
  deliveries?: 'automatic' | 'manual';
  delivery?: Partial<DeliveryOptions>;
  switches?: Partial<Switches>;
  endpoints?: readonly EndpointOptions[];
  /** Fixes the ids; without it each start has its own. */
  seed?: number;
}

export interface StripeEmulator {
  /** Such as http://127.0.0.1:12111. */
  url: string;
  port: number;
  core: StripeCore;
  close(): Promise<void>;
}

/** How often time passes while nobody asks for anything, in milliseconds. */
const TICK_MS = 250;

/** Starts the emulator on 127.0.0.1. Rejects with the system's error when the port is taken. */
export async function startStripeEmulator(options: EmulatorOptions = {}): Promise<StripeEmulator> {
  const core = createStripeCore({
    clock: () => Date.now() / 1000,
    // A database may outlive the emulator: another start must not make the same ids again.
    seed: options.seed ?? randomInt(2 ** 32 - 1),
    switches: { ...options.switches, ...(options.deliveries === undefined ? {} : { deliveries: options.deliveries }) },
  });
  const deliverer = createDeliverer(core, { ...defaultDelivery, ...options.delivery });
  const server = createStripeServer(core, deliverer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  core.world.publicUrl = url;
  for (const { url: to, secret, connect = false, enabledEvents = ['*'] } of options.endpoints ?? []) {
    registerEndpoint(core.world, { url: to, secret, connect, enabledEvents });
  }
  const ticker = setInterval(() => {
    core.tick();
    deliverer.pump();
  }, TICK_MS);
  ticker.unref();
  return {
    url,
    port,
    core,
    close: () =>
      new Promise<void>((resolve) => {
        clearInterval(ticker);
        deliverer.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
