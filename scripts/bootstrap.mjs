/**
 * What `npm start` and `npm test` call: installs what is missing, then hands over to Node 24. Plain JavaScript for
 * whatever Node is there (20 or newer).
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createWriteStream,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [command, ...rest] = process.argv.slice(2);
const programs = { start: 'scripts/start.ts', test: 'scripts/test.ts' };
const began = Date.now();
const seconds = () => `${((Date.now() - began) / 1000).toFixed(0)} s`;

if (!(command in programs)) fail(`usage: node scripts/bootstrap.mjs start|test [options]; not '${command ?? ''}'`, 2);

const packages = [
  { name: 'the project', folder: root },
  { name: 'the functions', folder: join(root, 'functions') },
];
const missing = packages.filter(({ folder }) => !isInstalled(folder));
if (missing.length > 0) await installAlone();
const node = join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');
checkNode24(node);
handOver(node, programs[command]);

/** A hash of what decides about an installation; written beside it when it is complete. */
function fingerprint(folder) {
  return createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
}

function isInstalled(folder) {
  // npm writes this file last, so an installation that was cut short has none.
  const hidden = join(folder, 'node_modules/.package-lock.json');
  if (!existsSync(hidden)) return false;
  const stamp = join(folder, 'node_modules/.installed-lockfile');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint(folder)) return true;
  // Someone ran npm by hand: as good, when it was after the last change of the lockfile.
  return statSync(hidden).mtimeMs >= statSync(join(folder, 'package-lock.json')).mtimeMs;
}

/** Two commands started at once on a fresh clone must not install into one folder: the second waits for the first. */
async function installAlone() {
  const lock = join(root, '.local/installing');
  mkdirSync(dirname(lock), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const other = Number(readFileSync(lock, 'utf8'));
      if (!isRunning(other)) rmSync(lock, { force: true });
      else console.log(`  ${seconds()}: process ${other} is installing the packages; waiting for it`);
      await sleep(2000);
    }
  }
  process.on('exit', () => rmSync(lock, { force: true }));
  const wanted = packages.filter(({ folder }) => !isInstalled(folder));
  if (wanted.length > 0) await install(wanted);
  rmSync(lock, { force: true });
}

function isRunning(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function install(wanted) {
  for (const { folder } of wanted) {
    const modules = join(folder, 'node_modules');
    if (!existsSync(modules) || !lstatSync(modules).isSymbolicLink()) continue;
    fail(
      `${modules} is a link to ${realpathSync(modules)}, and does not fit the lockfile here. npm would empty that folder, so nothing was done.\n` +
        'Remove the link, or run npm ci where it leads; then run this again.',
      1,
    );
  }
  const names = wanted.map(({ name }) => name).join(' and ');
  console.log(`Installing the packages of ${names} (the first time this takes some minutes)`);
  const open = new Set(wanted.map(({ name }) => name));
  const ticker = setInterval(
    () => console.log(`  ${seconds()}: npm is installing the packages of ${[...open].join(' and ')}`),
    5000,
  );
  const problems = (
    await Promise.all(
      wanted.map(async (one) => {
        const problem = await npmCi(one);
        open.delete(one.name);
        if (problem === undefined) {
          writeFileSync(join(one.folder, 'node_modules/.installed-lockfile'), fingerprint(one.folder));
          console.log(`  ${seconds()}: the packages of ${one.name} are installed`);
        }
        return problem;
      }),
    )
  ).filter((problem) => problem !== undefined);
  clearInterval(ticker);
  if (problems.length > 0) fail(problems.join('\n\n'), 1);
}

/** Resolves with undefined, or with what went wrong. */
function npmCi({ name, folder }) {
  mkdirSync(join(root, '.local/logs'), { recursive: true });
  const logFile = join(root, '.local/logs', `npm-ci-${name.replace(/\W+/g, '-')}.log`);
  const output = createWriteStream(logFile);
  let text = '';
  const args = ['ci', '--include=dev', '--no-fund', '--no-audit', '--loglevel=warn'];
  const npm = process.env.npm_execpath;
  const child = npm?.endsWith('.js')
    ? spawn(process.execPath, [npm, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    : spawn('npm', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output.write(chunk);
      text = (text + chunk).slice(-4000);
    });
  }
  return new Promise((resolve) => {
    child.on('error', (error) =>
      resolve(`npm could not be started: ${error.message}. Install Node.js 20 or newer with npm, and run this again.`),
    );
    child.on('close', (code) => {
      output.end();
      if (code === 0) return resolve(undefined);
      const end = text
        .split('\n')
        .filter((line) => line.trim() !== '')
        .slice(-15)
        .join('\n');
      resolve(
        `npm could not install the packages of ${name} (npm ci in ${folder} ended with code ${code}).\n${end}\n` +
          `Mend what npm names above (a network or registry that cannot be reached is the usual cause) and run this again. All of its output: ${logFile}`,
      );
    });
  });
}

function checkNode24(program) {
  const { stdout, error } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  if (error === undefined && stdout.startsWith('v24.')) return;
  fail(
    `Node 24, on which everything here runs, is not in node_modules (${error === undefined ? `found ${stdout.trim()}` : error.message}).\n` +
      'The package "node" fetches it in an install script; npm was probably told to skip those (ignore-scripts).\n' +
      'Mend it:  npm rebuild node --ignore-scripts=false   (or: npm ci --ignore-scripts=false)',
    1,
  );
}

function handOver(program, script) {
  const child = spawn(program, [join(root, script), ...rest], {
    cwd: root,
    // The channel tells the child when this process is gone, however it went.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PATH: [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter) },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  if (process.env.npm_lifecycle_event !== undefined) {
    // npm itself may be killed without a chance to pass it on.
    const before = ancestors();
    setInterval(() => ancestors() !== before && child.kill('SIGTERM'), 1000).unref();
  }
  child.on('error', (error) => fail(`Node 24 could not be started: ${error.message}`, 1));
  child.on('exit', (code, signal) => process.exit(signal === null ? code : 128 + (signal === 'SIGINT' ? 2 : 15)));
}

/** This process's parent and, where that can be read cheaply, its parent: npm runs us through a shell that outlives it. */
function ancestors() {
  const stat = `/proc/${process.ppid}/stat`;
  const shell = existsSync(stat)
    ? readFileSync(stat, 'utf8')
        .replace(/^.*\) \S /s, '')
        .split(' ')[0]
    : '';
  return `${process.ppid} ${shell}`;
}

function fail(message, code) {
  console.error(`\n${message}`);
  process.exit(code);
}
