import type { TDocumentDefinitions } from 'pdfmake/interfaces.js';

/** What a PDF is made of; pages, tables and page breaks are the library's. */
export type PdfDocument = TDocumentDefinitions;

const regular = 'Roboto-Regular.ttf';
const bold = 'Roboto-Medium.ttf';

/**
 * A PDF in Roboto, which has the letters of every language with a Latin, Greek or Cyrillic alphabet: people's names come
 * in all of them. The library and its font are 4 MB, so they are read on first use.
 */
export async function makePdf(document: PdfDocument): Promise<Buffer> {
  const [{ default: pdfmake }, { default: files }] = await Promise.all([
    import('pdfmake'),
    import('pdfmake/build/vfs_fonts.js'),
  ]);
  // The library's own memory for files; its types do not know of it.
  const { virtualfs } = pdfmake as unknown as { virtualfs: { writeFileSync(name: string, data: Buffer): void } };
  for (const file of [regular, bold]) virtualfs.writeFileSync(file, Buffer.from(files[file] ?? '', 'base64'));
  pdfmake.setFonts({ Roboto: { normal: regular, bold } });
  // Whatever text gets into a document, nothing is fetched or read from disk for it.
  pdfmake.setUrlAccessPolicy(() => false);
  pdfmake.setLocalAccessPolicy(() => false);
  return pdfmake.createPdf({ pageSize: 'A4', ...document }).getBuffer();
}
