import type { DecodedRows } from '../../codecs/decode/decoded-rows.ts';
import { must } from '../../core/assert.ts';
import type { RowRejection } from '../../core/errors.ts';
import type { Batch, ColumnSet } from '../../market/columns.ts';
import type { TableDef } from '../../market/schema.ts';
import { openParquet } from '../parquet/read-parquet.ts';
import { convertColumn } from './convert-column.ts';
import { withoutRows } from './finish-rows.ts';
import { type RowSource, tableAsInFile } from './row-source.ts';

/** Opens a Parquet file by its path. */
export async function openParquetSource(path: string): Promise<RowSource> {
  const file = await openParquet(path);
  return {
    columns: file.columns.map(({ name, type }) => ({ name, type, values: [] })),
    async *chunks(plan) {
      const table = tableAsInFile(plan);
      let rowsBefore = 0;
      try {
        for await (const page of file.pages(table.columns.map(({ name }) => name))) {
          yield { decoded: decodePage(page, table), rowsBefore, recordAt: () => null };
          rowsBefore += page.rowCount;
        }
      } finally {
        file.close();
      }
    },
  };
}

function decodePage({ rowCount, names, columns }: ColumnSet, table: TableDef): DecodedRows {
  const rejections = new Map<number, RowRejection>();
  const batch: Batch = { rowCount, columns: {} };
  names.forEach((name, index) => {
    const def = must(
      table.columns.find((column) => column.name === name),
      `column ${name}`,
    );
    const { column, rejected } = convertColumn(columns[index], rowCount, def);
    batch.columns[name] = column;
    for (const rejection of rejected)
      if (!rejections.has(rejection.row)) rejections.set(rejection.row, rejection);
  });
  const rejected = [...rejections.values()].sort((a, b) => a.row - b.row);
  return withoutRows({ sentRowCount: rowCount, batch, rowNumbers: null, rejected: [] }, rejected);
}
