import { createServer } from 'node:net';

/**
 * Every port of the local stack with its usual place. Each one moves with an environment variable named after it:
 * IJ_PORT_FUNCTIONS, IJ_PORT_HOSTING, IJ_PORT_FIRESTORE, IJ_PORT_FIRESTORE_WEBSOCKET and so on.
 */
export const defaultPorts = {
  functions: 5001,
  hosting: 5000,
  firestore: 8080,
  firestoreWebsocket: 9150,
  auth: 9099,
  tasks: 9499,
  pubsub: 8085,
  eventarc: 9299,
  hub: 4400,
  stripe: 12111,
  fortnox: 12112,
};

export type PortName = keyof typeof defaultPorts;
export type Ports = Readonly<Record<PortName, number>>;

export const portNames = Object.keys(defaultPorts) as PortName[];

/** `firestoreWebsocket` -> `IJ_PORT_FIRESTORE_WEBSOCKET`. */
export function portVariable(name: PortName): string {
  return `IJ_PORT_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/**
 * The ports a stack shall use: an explicit choice wins over the environment, that over `fallback`.
 * Throws when a variable is no port or two parts would share one.
 */
export function planPorts(
  environment: Readonly<Record<string, string | undefined>>,
  chosen: Partial<Ports>,
  fallback: Ports = defaultPorts,
): Ports {
  const planned = Object.fromEntries(
    portNames.map((name) => {
      const variable = portVariable(name);
      return [name, chosen[name] ?? readPort(variable, environment[variable]) ?? fallback[name]];
    }),
  ) as Record<PortName, number>;
  const owners = new Map<number, PortName>();
  for (const name of portNames) {
    const other = owners.get(planned[name]);
    if (other !== undefined) {
      throw new Error(
        `Port ${planned[name]} is given to both ${other} and ${name}. Set ${portVariable(name)} to another one.`,
      );
    }
    owners.set(planned[name], name);
  }
  return planned;
}

function readPort(variable: string, value: string | undefined): number | undefined {
  if (value === undefined || value === '') return undefined;
  const port = Number(value);
  if (!/^\d+$/.test(value) || port < 1 || port > 65535) {
    throw new Error(`${variable} is '${value}', which is no port. Use a whole number from 1 to 65535.`);
  }
  return port;
}

/** Whether something may listen on 127.0.0.1:port now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host: '127.0.0.1', port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/**
 * A run of free ports, one per part. They are taken below the range from which operating systems hand out ports to
 * outgoing connections, so that nothing else is given one of them between this look and the part that binds it.
 */
export async function freePorts(random: () => number = Math.random): Promise<Ports> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const first = 20000 + Math.floor(random() * 12000);
    const wanted = portNames.map((_, index) => first + index);
    const free = await Promise.all(wanted.map(isFree));
    if (free.every(Boolean)) {
      return Object.fromEntries(portNames.map((name, index) => [name, first + index])) as Record<PortName, number>;
    }
  }
  throw new Error(
    `No ${portNames.length} free ports in a row were found between 20000 and 32000. Name them with ${portVariable('functions')} and the like.`,
  );
}
