import { existsSync } from 'node:fs';
import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { launcherManifest, zipWithOneFile } from './jar.ts';

const firestoreMain = 'com.google.cloud.datastore.emulator.firestore.CloudFirestore';

/**
 * Makes firebase-tools use the emulators a Google Cloud SDK has already installed, where there is one: returns the
 * variables for its environment. Without an SDK it returns none, and firebase-tools downloads its own.
 *
 * firebase-tools runs `java -jar` on what FIRESTORE_EMULATOR_BINARY_PATH names; the SDK's jar has no main class, so a
 * launcher jar that points at it is written into `folder`. It also sets the mode of both files, which only their owner
 * may do, so the Pub/Sub program of the SDK gets a wrapper of ours too.
 */
export async function cloudSdkEmulators(
  environment: Readonly<Record<string, string | undefined>>,
  folder: string,
): Promise<Record<string, string>> {
  const root = await cloudSdkRoot(environment);
  if (root === undefined) return {};
  await mkdir(folder, { recursive: true });
  const variables: Record<string, string> = {};
  const firestoreJar = join(root, 'platform/cloud-firestore-emulator/cloud-firestore-emulator.jar');
  if (environment.FIRESTORE_EMULATOR_BINARY_PATH === undefined && existsSync(firestoreJar)) {
    const launcher = join(folder, 'firestore-launcher.jar');
    const manifest = launcherManifest(firestoreMain, [pathToFileURL(firestoreJar).href]);
    await writeFile(launcher, zipWithOneFile('META-INF/MANIFEST.MF', Buffer.from(manifest)));
    variables.FIRESTORE_EMULATOR_BINARY_PATH = launcher;
  }
  const pubsub = join(root, 'platform/pubsub-emulator/bin/cloud-pubsub-emulator');
  if (environment.PUBSUB_EMULATOR_BINARY_PATH === undefined && existsSync(pubsub) && process.platform !== 'win32') {
    const wrapper = join(folder, 'pubsub-emulator');
    await writeFile(wrapper, `#!/bin/sh\nexec '${pubsub}' "$@"\n`, { mode: 0o755 });
    variables.PUBSUB_EMULATOR_BINARY_PATH = wrapper;
  }
  return variables;
}

/** The SDK's root is two folders above the real path of its `gcloud` program. */
async function cloudSdkRoot(environment: Readonly<Record<string, string | undefined>>): Promise<string | undefined> {
  for (const folder of (environment.PATH ?? '').split(delimiter).filter(Boolean)) {
    const program = await realpath(join(folder, 'gcloud')).catch(() => undefined);
    if (program !== undefined) return dirname(dirname(program));
  }
  return undefined;
}
