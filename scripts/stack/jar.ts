import { crc32 } from 'node:zlib';

/**
 * One header of a jar manifest, folded as the jar specification asks: no line longer than 72 bytes without its line
 * break, continuations start with one space, and a character is never cut in two.
 */
export function foldManifestLine(line: string): string {
  const lines: string[] = [];
  let current = '';
  for (const character of line) {
    if (Buffer.byteLength(current + character) > 72) {
      lines.push(current);
      current = ' ';
    }
    current += character;
  }
  return [...lines, current].join('\r\n');
}

/** The manifest of a jar that runs `mainClass` from other jars (file: URLs). */
export function launcherManifest(mainClass: string, classPath: readonly string[]): string {
  const headers = ['Manifest-Version: 1.0', `Main-Class: ${mainClass}`, `Class-Path: ${classPath.join(' ')}`];
  return `${headers.map(foldManifestLine).join('\r\n')}\r\n\r\n`;
}

/** A zip file with one stored (uncompressed) entry: all that a launcher jar needs. */
export function zipWithOneFile(name: string, content: Buffer): Buffer {
  const fileName = Buffer.from(name);
  // 1 January 1980, the zip format's first day: the same input gives the same bytes.
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(0x21, 8);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(content.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(fileName.length, 22);
  const local = Buffer.concat([signature('PK\x03\x04'), common, fileName, content]);
  const central = Buffer.concat([signature('PK\x01\x02'), uint16(20), common, Buffer.alloc(14), fileName]);
  const end = Buffer.concat([signature('PK\x05\x06'), uint16(0), uint16(0), uint16(1), uint16(1), Buffer.alloc(10)]);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

function signature(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function uint16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16LE(value);
  return buffer;
}
