import { createHash } from 'node:crypto';
import { badRequest, CODE, json, notFound } from './errors.ts';
import { fileIn } from './multipart.ts';
import { onlyParameters, paged, PAGING, YEAR, yearOf } from './query.ts';
import type { Reading } from './registers.ts';
import type { Answer, CoreRequest, FileConnection, State, StoredFile } from './types.ts';

/** Fortnox has an inbox for each kind of paper; this is the one for vouchers. */
const VOUCHER_INBOX = 'inbox_v';

function fileBody(file: StoredFile, origin: string): object {
  return {
    File: {
      '@url': `${origin}/3/inbox/${file.id}`,
      ArchiveFileId: file.archiveId,
      Comments: '',
      Id: file.id,
      Name: file.name,
      Path: file.path,
      Size: file.size,
    },
  };
}

/** An id like Fortnox's, the same in every replay. */
function idOf(state: State, what: string): string {
  const hex = createHash('sha256').update(`${what} ${state.files.length}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/** `POST /3/inbox?path=inbox_v`, multipart. */
export function uploadFile({ state, query, origin }: Reading, request: CoreRequest): Answer {
  onlyParameters(query, ['path']);
  if (query.get('path') !== VOUCHER_INBOX) {
    throw badRequest(CODE.badParameter, `Ogiltig parameter i anropet, emulatorn har bara ${VOUCHER_INBOX}. (path)`);
  }
  const bytes = Buffer.from(request.bytes ?? Buffer.from(request.body, 'utf8'));
  const { name, content } = fileIn(request.headers['content-type'] ?? '', bytes);
  const file: StoredFile = {
    id: idOf(state, 'file'),
    archiveId: idOf(state, 'archive'),
    name,
    path: VOUCHER_INBOX,
    size: content.length,
    contentBase64: content.toString('base64'),
  };
  state.files.push(file);
  return json(201, fileBody(file, origin));
}

/** `GET /3/inbox/{Id}`: the file itself. */
export function downloadFile({ state, query, path }: Reading): Answer {
  onlyParameters(query, []);
  const file = state.files.find((one) => one.id === path[0] || one.archiveId === path[0]);
  if (file === undefined) throw notFound(CODE.unpublished, 'Kan inte hitta filen.');
  const bytes = Buffer.from(file.contentBase64, 'base64');
  return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: '', bytes };
}

/** `VoucherNumber` is a text here and an integer in a voucher: so it is in Fortnox. */
function connectionBody(state: State, one: FileConnection, origin: string): object {
  const voucher = state.vouchers.find(
    ({ series, number, financialYear }) =>
      series === one.series && number === one.number && financialYear === one.financialYear,
  );
  return {
    '@url': `${origin}/3/voucherfileconnections/${one.fileId}`,
    FileId: one.fileId,
    VoucherDescription: voucher?.description ?? '',
    VoucherNumber: String(one.number),
    VoucherSeries: one.series,
    VoucherYear: one.financialYear,
  };
}

function textIn(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = fields[name];
  if (typeof value === 'string' && value !== '') return value;
  throw badRequest(CODE.emptyBody, `Felaktig eller tom body. (${name})`);
}

/**
 * `POST /3/voucherfileconnections`. Without `financialyear` the file goes to the voucher of that number in the
 * preselected year, whichever that is: the trap that Fortnox has.
 */
export function connectFile({ state, query, origin }: Reading, body: unknown): Answer {
  onlyParameters(query, YEAR);
  const wrap = body as { VoucherFileConnection?: Record<string, unknown> } | null;
  const fields = wrap?.VoucherFileConnection ?? {};
  for (const name of Object.keys(fields)) {
    if (!['FileId', 'VoucherSeries', 'VoucherNumber'].includes(name)) {
      throw badRequest(CODE.badField, `Felaktigt fältnamn. (${name})`);
    }
  }
  const fileId = textIn(fields, 'FileId');
  const series = textIn(fields, 'VoucherSeries');
  const number = textIn(fields, 'VoucherNumber');
  if (!/^\d{1,9}$/.test(number)) throw badRequest(CODE.notNumeric, 'Värdet måste vara numeriskt. (VoucherNumber)');
  const wanted = state.switches.fileConnectionId === 'Id' ? 'id' : 'archiveId';
  if (!state.files.some((file) => file[wanted] === fileId)) throw notFound(CODE.unpublished, 'Kan inte hitta filen.');
  const year = yearOf(state, query);
  const connection: FileConnection = { fileId, series, number: Number(number), financialYear: year.id };
  const voucher = state.vouchers.find(
    (one) => one.financialYear === year.id && one.series === series && one.number === connection.number,
  );
  if (voucher === undefined) throw notFound(CODE.unpublished, 'Kan inte hitta verifikationen.');
  state.fileConnections.push(connection);
  return json(201, { VoucherFileConnection: connectionBody(state, connection, origin) });
}

export function listConnections({ state, query, origin }: Reading): Answer {
  onlyParameters(query, PAGING);
  const { items, meta } = paged(query, state.fileConnections);
  return json(200, {
    MetaInformation: meta,
    VoucherFileConnections: items.map((one) => connectionBody(state, one, origin)),
  });
}

export function getConnection({ state, query, origin, path }: Reading): Answer {
  onlyParameters(query, []);
  const connection = state.fileConnections.find((one) => one.fileId === path[0]);
  if (connection === undefined) throw notFound(CODE.unpublished, 'Kan inte hitta filkopplingen.');
  return json(200, { VoucherFileConnection: connectionBody(state, connection, origin) });
}
