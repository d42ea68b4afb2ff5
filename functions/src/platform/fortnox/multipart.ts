import { randomUUID } from 'node:crypto';

/** One file as the body of a form, in the part Fortnox reads: `file`. */
export function multipart(name: string, content: Uint8Array): { contentType: string; bytes: Uint8Array } {
  const boundary = `inner-journey-${randomUUID()}`;
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/pdf\r\n\r\n`;
  const bytes = Buffer.concat([Buffer.from(head), content, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return { contentType: `multipart/form-data; boundary=${boundary}`, bytes };
}
