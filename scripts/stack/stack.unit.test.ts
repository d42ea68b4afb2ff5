import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { foldManifestLine, launcherManifest, zipWithOneFile } from './jar.ts';
import { chooseJava, parseJavaMajor } from './java.ts';
import { listeningInodes, parseLsof, portOwner } from './owner.ts';
import { defaultPorts, freePorts, isFree, planPorts, portNames, portVariable } from './ports.ts';
import { stripeTestMode } from './secrets.ts';
import { allFirebaseParts, dotenv, parseDotenv, stackConfig } from './settings.ts';
import { loginsOf, table } from './welcome.ts';

describe('Java', () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17],
    ['java version "1.8.0_391"', 8],
    ['openjdk version "25" 2025-09-16', 25],
    ['openjdk version "22-ea" 2024-03-19', 22],
    ['IMPLEMENTOR="Eclipse Adoptium"\nJAVA_RUNTIME_VERSION="25.0.3+9-LTS"\nJAVA_VERSION="25.0.3"', 25],
    ['command not found', undefined],
  ])('reads the major version of %j', (text, major) => {
    expect(parseJavaMajor(text)).toBe(major);
  });

  it('takes the newest that is new enough, of equals the first', () => {
    expect(
      chooseJava([
        { bin: 'home', major: 21 },
        { bin: 'path', major: 17 },
        { bin: 'a', major: 25 },
        { bin: 'b', major: 25 },
      ])?.bin,
    ).toBe('a');
    expect(chooseJava([{ bin: 'path', major: 20 }])).toBeUndefined();
    expect(chooseJava([])).toBeUndefined();
  });
});

describe('ports', () => {
  it('names one variable per port', () => {
    expect(portVariable('firestoreWebsocket')).toBe('IJ_PORT_FIRESTORE_WEBSOCKET');
    expect(portVariable('hub')).toBe('IJ_PORT_HUB');
  });

  it('prefers a choice to the environment and that to the defaults', () => {
    const planned = planPorts({ IJ_PORT_AUTH: '7001', IJ_PORT_HUB: '7002', IJ_PORT_STRIPE: '' }, { hub: 7003 });
    expect(planned).toEqual({ ...defaultPorts, auth: 7001, hub: 7003 });
  });

  it.each(['0', '65536', '80x', '-1', '1.5'])('refuses %s as a port, naming the variable', (value) => {
    expect(() => planPorts({ IJ_PORT_AUTH: value }, {})).toThrow(/IJ_PORT_AUTH is '.*', which is no port/);
  });

  it('refuses one port for two parts', () => {
    expect(() => planPorts({ IJ_PORT_AUTH: '8080' }, {})).toThrow(
      /8080 is given to both firestore and auth.*IJ_PORT_AUTH/,
    );
  });

  it('finds free ports, all different', async () => {
    const ports = await freePorts();
    expect(new Set(Object.values(ports)).size).toBe(portNames.length);
    expect(await isFree(ports.functions)).toBe(true);
  });

  it('passes over a run in which one port is taken', async () => {
    const server = createServer();
    const first = (await freePorts()).functions;
    await new Promise<void>((resolve) => server.listen(first + 3, '127.0.0.1', resolve));
    const draws = [(first - 20000) / 12000, 0.5];
    const ports = await freePorts(() => draws.shift() ?? Math.random());
    expect(ports.functions).not.toBe(first);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('the owner of a port', () => {
  const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:D1A4 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000 20 4 30 10 -1
   2: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000 100 0 0 10 0`;

  it('is looked up by the inode of the socket that listens', () => {
    expect(listeningInodes(tcp, 8080)).toEqual(['4711']);
    expect(listeningInodes(tcp, 8081)).toEqual(['4713']);
    expect(listeningInodes(tcp, 53668)).toEqual([]);
  });

  it('is read from lsof elsewhere', () => {
    expect(parseLsof('p4242\ncjava\nf99\n')).toEqual({ pid: 4242, command: 'java' });
    expect(parseLsof('')).toBeUndefined();
  });

  it('is this process for a port it listens on, and nobody for a free one', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect((await portOwner(port))?.pid).toBe(process.pid);
    await new Promise((resolve) => server.close(resolve));
    expect(await portOwner(port)).toBeUndefined();
  });
});

describe('the launcher jar', () => {
  it('folds manifest lines at 72 bytes and loses nothing', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 400 }).filter((text) => !/[\r\n]/.test(text)),
        (text) => {
          const folded = foldManifestLine(`Class-Path: ${text}`);
          for (const line of folded.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(72);
          expect(folded.replaceAll('\r\n ', '')).toBe(`Class-Path: ${text}`);
        },
      ),
    );
  });

  it('ends with the blank line without which Java ignores the last header', () => {
    expect(launcherManifest('a.Main', ['file:///x.jar', 'file:///y.jar'])).toBe(
      'Manifest-Version: 1.0\r\nMain-Class: a.Main\r\nClass-Path: file:///x.jar file:///y.jar\r\n\r\n',
    );
  });

  it('is a zip whose directory leads to its one file', () => {
    const content = Buffer.from('Main-Class: å\r\n');
    const zip = zipWithOneFile('META-INF/MANIFEST.MF', content);
    // Read as readers do: from the end record to the directory, from there to the file.
    const end = zip.subarray(-22);
    expect([end.readUInt32LE(0), end.readUInt16LE(8), end.readUInt16LE(10)]).toEqual([0x06054b50, 1, 1]);
    const directory = zip.subarray(end.readUInt32LE(16), end.readUInt32LE(16) + end.readUInt32LE(12));
    expect(directory.readUInt32LE(0)).toBe(0x02014b50);
    expect(directory.length).toBe(46 + directory.readUInt16LE(28));
    expect(directory.subarray(46).toString()).toBe('META-INF/MANIFEST.MF');
    const local = zip.subarray(directory.readUInt32LE(42));
    expect(local.readUInt32LE(0)).toBe(0x04034b50);
    const start = 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
    const stored = local.subarray(start, start + directory.readUInt32LE(20));
    expect(stored).toEqual(content);
    expect(directory.readUInt32LE(16)).toBe(crc32(stored));
  });
});

describe('settings', () => {
  const project = { firestore: {}, hosting: { public: 'web/public', rewrites: [{ source: '/api/**' }] } };

  it('gives every part its port and keeps the rewrites', () => {
    const config = stackConfig(project, allFirebaseParts, { ...defaultPorts, firestore: 1, firestoreWebsocket: 2 });
    expect(config).toMatchObject({
      emulators: {
        firestore: { host: '127.0.0.1', port: 1, websocketPort: 2 },
        hub: { port: 4400 },
        ui: { enabled: false },
      },
      hosting: { public: 'public', rewrites: [{ source: '/api/**' }] },
      functions: { runtime: 'nodejs24' },
    });
  });

  it('starts no functions for tests that need databases only', () => {
    expect(stackConfig(project, ['firestore', 'auth'], defaultPorts)).not.toHaveProperty('functions');
  });

  it('writes dotenv files that read back the same, and refuses what they cannot hold', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !/['\r\n]/.test(text)),
        (value) => {
          expect(parseDotenv(dotenv({ A_NAME: value }))).toEqual({ A_NAME: value });
        },
      ),
    );
    expect(() => dotenv({ KEY: "it's" })).toThrow(/KEY holds a quote/);
    expect(parseDotenv('# remark\nexport A=1\nB="two words"\nnonsense\n')).toEqual({ A: '1', B: 'two words' });
  });

  it('goes to Stripe for a test key, to the emulator for none, and never with a live key', () => {
    expect(stripeTestMode({})).toBeUndefined();
    expect(stripeTestMode({ STRIPE_SECRET_KEY: '' })).toBeUndefined();
    expect(stripeTestMode({ STRIPE_SECRET_KEY: 'rk_test_1', STRIPE_WEBHOOK_SECRET: 'whsec_1' })).toEqual({
      STRIPE_SECRET_KEY: 'rk_test_1',
      STRIPE_WEBHOOK_SECRET: 'whsec_1',
    });
    expect(() => stripeTestMode({ STRIPE_SECRET_KEY: 'sk_live_1' })).toThrow(/not a test key/);
  });
});

describe('what is shown when the stack is up', () => {
  it('reads logins from what the Auth emulator keeps', () => {
    const accounts = [
      {
        email: 'k@example.com',
        passwordHash: 'fakeHash:salt=abc:password=s=cret:1',
        customAttributes: '{"coach":true,"x":1}',
      },
      { email: 'a@example.com' },
      {},
    ];
    expect(loginsOf(accounts)).toEqual([
      { email: 'a@example.com', password: '-', roles: 'customer' },
      { email: 'k@example.com', password: 's=cret:1', roles: 'coach' },
    ]);
  });

  it('lines columns up', () => {
    expect(table(['a', 'b'], [['long', 'x']])).toBe('  a     b\n  ----  -\n  long  x');
  });
});
