import { columns, type SheetOf } from './transactions.ts';

/** Sheets as an XLSX file. The library is read on first use. */
export async function workbook(sheets: readonly SheetOf[]): Promise<Buffer> {
  const { default: writeWorkbook } = await import('write-excel-file/node');
  const head = columns.map((value) => ({ value, fontWeight: 'bold' as const }));
  const cell = (value: string | number) =>
    typeof value === 'number' ? { value, type: Number } : { value, type: String };
  return writeWorkbook(
    sheets.map(({ name, rows }) => ({
      sheet: name,
      data: [head, ...rows.map((row) => row.map(cell))],
      columns: columns.map(() => ({ width: 20 })),
      stickyRowsCount: 1,
    })),
  ).toBuffer();
}
