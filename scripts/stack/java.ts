import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, readdir, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';

/** firebase-tools 15 refuses older ones. */
export const oldestJava = 21;

export interface Java {
  /** The folder that holds `java`, to be put first on PATH. */
  readonly bin: string;
  readonly major: number;
}

/** The major version in a JDK's `release` file or in what `java -version` prints; 1.8 counts as 8. */
export function parseJavaMajor(text: string): number | undefined {
  const match = /(?:version|JAVA_VERSION=)\s*"(?:1\.)?(\d+)/.exec(text);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** The newest one that is new enough; of equals the first, so JAVA_HOME wins over PATH and that over the JVM folders. */
export function chooseJava(found: readonly Java[]): Java | undefined {
  return found
    .filter((java) => java.major >= oldestJava)
    .reduce<Java | undefined>((best, java) => (best === undefined || java.major > best.major ? java : best), undefined);
}

/** Finds Java 21 or newer, or throws an Error that says what was found and the line that mends it. */
export async function findJava(environment: Readonly<Record<string, string | undefined>>): Promise<Java> {
  const found: Java[] = [];
  for (const bin of await javaFolders(environment)) {
    const major = await javaMajor(bin);
    if (major !== undefined) found.push({ bin, major });
  }
  const chosen = chooseJava(found);
  if (chosen !== undefined) return chosen;
  const seen = found.map((java) => `Java ${java.major} in ${java.bin}`).join(', ') || 'no Java at all';
  throw new Error(
    `The Firebase emulators need Java ${oldestJava} or newer; found ${seen}.\n` +
      `Install one and start again:\n${installLine()}\nOr set JAVA_HOME to where a newer one is.`,
  );
}

function installLine(): string {
  switch (process.platform) {
    case 'darwin':
      return '  brew install openjdk';
    case 'win32':
      return '  winget install EclipseAdoptium.Temurin.21.JRE';
    default:
      return '  sudo apt-get install -y openjdk-21-jre-headless   (Fedora: sudo dnf install java-21-openjdk-headless)';
  }
}

async function javaFolders(environment: Readonly<Record<string, string | undefined>>): Promise<string[]> {
  const home = environment.HOME ?? '';
  const parents = [
    '/usr/lib/jvm',
    '/usr/lib64/jvm',
    '/usr/java',
    '/opt/java',
    '/opt',
    '/Library/Java/JavaVirtualMachines',
    join(home, 'Library/Java/JavaVirtualMachines'),
    '/opt/homebrew/opt',
    '/usr/local/opt',
    join(home, '.sdkman/candidates/java'),
    join(home, '.jdks'),
  ];
  const installed = await Promise.all(
    parents.map(async (parent) => (await readdir(parent).catch(() => [])).map((name) => join(parent, name))),
  );
  const homes = [
    environment.JAVA_HOME,
    ...installed.flat().flatMap((folder) => [folder, join(folder, 'Contents/Home')]),
  ];
  const onPath = (environment.PATH ?? '').split(delimiter).filter(Boolean);
  const [first, ...others] = homes.map((folder) => (folder === undefined ? undefined : join(folder, 'bin')));
  const folders = [first, ...onPath, ...others].filter(
    (folder) => folder !== undefined && existsSync(join(folder, 'java')),
  );
  return [...new Set(folders as string[])];
}

async function javaMajor(bin: string): Promise<number | undefined> {
  const program = await realpath(join(bin, 'java')).catch(() => undefined);
  if (program === undefined) return undefined;
  const release = await readFile(join(dirname(dirname(program)), 'release'), 'utf8').catch(() => '');
  return parseJavaMajor(release) ?? parseJavaMajor(await javaVersionOutput(program));
}

function javaVersionOutput(program: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, ['-version'], { timeout: 10_000 }, (_error, stdout, stderr) => resolve(`${stdout}\n${stderr}`));
  });
}
