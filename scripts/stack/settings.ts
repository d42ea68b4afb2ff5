import type { Ports } from './ports.ts';

export const projectId = 'demo-inner-journey';
export const region = 'europe-west1';

export type FirebasePart = 'functions' | 'firestore' | 'auth' | 'tasks' | 'pubsub' | 'hosting';
export const allFirebaseParts: readonly FirebasePart[] = [
  'functions',
  'firestore',
  'auth',
  'tasks',
  'pubsub',
  'hosting',
];

interface HostingConfig {
  readonly public: string;
}

/** The repository's firebase.json, as far as the stack uses it. */
export interface ProjectConfig {
  readonly firestore: Readonly<Record<string, unknown>>;
  readonly hosting: HostingConfig & Readonly<Record<string, unknown>>;
}

/** The firebase.json of one stack: the project's own rules and rewrites, its functions in a copy, and all ports. */
export function stackConfig(
  project: ProjectConfig,
  parts: readonly FirebasePart[],
  ports: Ports,
): Record<string, unknown> {
  const host = '127.0.0.1';
  const emulators: Record<string, unknown> = {
    hub: { host, port: ports.hub },
    ui: { enabled: false },
    singleProjectMode: true,
  };
  for (const part of parts) emulators[part] = { host, port: ports[part] };
  if (parts.includes('firestore'))
    emulators.firestore = { host, port: ports.firestore, websocketPort: ports.firestoreWebsocket };
  if (parts.includes('functions')) emulators.eventarc = { host, port: ports.eventarc };
  return {
    firestore: { rules: 'firestore.rules', indexes: 'firestore.indexes.json' },
    ...(parts.includes('functions')
      ? { functions: { source: 'functions', codebase: 'default', runtime: 'nodejs24' } }
      : {}),
    ...(parts.includes('hosting') ? { hosting: { ...project.hosting, public: 'public' } } : {}),
    emulators,
  };
}

/** A dotenv file as firebase-tools reads it. Values are quoted; it knows no way to write a line break in single quotes. */
export function dotenv(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => {
      if (/['\n\r]/.test(value)) throw new Error(`${name} holds a quote or a line break, which a dotenv file cannot.`);
      return `${name}='${value}'\n`;
    })
    .join('');
}

/** Reads the simple dotenv files this project writes: NAME=value, optional quotes, # comments. */
export function parseDotenv(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*(?:export\s+)?([A-Z_][A-Z0-9_]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    const quoted = /^(['"])(.*)\1$/.exec(match[2]);
    values[match[1]] = quoted?.[2] ?? match[2];
  }
  return values;
}
