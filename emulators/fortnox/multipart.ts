import { badRequest, CODE } from './errors.ts';

export type UploadedFile = { readonly name: string; readonly content: Buffer };

const END_OF_HEADERS = Buffer.from('\r\n\r\n');

/** The one file in a multipart/form-data body, in a part named `file`. Anything else in it is refused. */
export function fileIn(contentType: string, body: Buffer): UploadedFile {
  const boundary = /^multipart\/form-data;.*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (mark === undefined) throw badRequest(CODE.badContentType, 'Ogiltig content-type.');
  const parts = partsOf(body, Buffer.from(`--${mark}`));
  const [part] = parts;
  const end = part?.indexOf(END_OF_HEADERS) ?? -1;
  if (part === undefined || parts.length > 1 || end < 0) throw noFile();
  const headers = part.subarray(0, end).toString('utf8');
  const name = /^content-disposition:.*[\s;]filename="([^"]+)"/im.exec(headers)?.[1];
  if (!/^content-disposition:.*[\s;]name="file"/im.test(headers) || name === undefined) throw noFile();
  return { name, content: part.subarray(end + END_OF_HEADERS.length) };
}

const noFile = () => badRequest(CODE.emptyBody, 'Felaktig eller tom body. (en fil i fältet file)');

/** What lies between the boundary lines, without the line break that belongs to the boundary. */
function partsOf(body: Buffer, boundary: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let from = body.indexOf(boundary);
  while (from >= 0) {
    const start = from + boundary.length;
    const next = body.indexOf(boundary, start);
    if (next < 0) break;
    parts.push(body.subarray(start + 2, next - 2));
    from = next;
  }
  return parts;
}
