import { AsyncByteQueue, RecordBatchFileWriter } from 'apache-arrow';
import { type ArrowLayout, arrowBatch } from '../../codecs/arrow/encode-arrow.ts';
import type { ColumnDef } from '../../market/schema.ts';
import { unboundedScale } from '../../storage/duckdb/types.ts';
import type { Output } from './output.ts';
import type { ExportWriter } from './writers.ts';

/** Collects what Arrow's writer makes until it is handed on: the writer itself would queue without bound. */
class Pieces extends AsyncByteQueue {
  readonly pieces: Uint8Array[] = [];

  override write(piece: Uint8Array): void {
    // The writer announces its end with an empty piece.
    if (piece.byteLength > 0) this.pieces.push(piece);
  }
}

/** Arrow IPC file, a record batch a page. Text is Utf8, decimals are Decimal128 of the declared scale. */
export function createArrowWriter(output: Output, columns: readonly ColumnDef[]): ExportWriter {
  const queue = new Pieces();
  const writer = new RecordBatchFileWriter();
  writer.reset(queue);
  const layout: ArrowLayout = {
    text: 'plain',
    decimalScales: columns.map(({ type }) => {
      if (type.kind !== 'decimal') return 0;
      return type.precision === undefined ? unboundedScale : (type.scale ?? 0);
    }),
  };
  const handOn = async (): Promise<void> => {
    for (const piece of queue.pieces.splice(0)) await output.write(piece);
  };
  return {
    async write(page) {
      writer.write(arrowBatch(page, layout));
      await handOn();
    },
    async finish() {
      writer.finish();
      await handOn();
      await output.finish();
    },
    close: () => output.close(),
  };
}
