/**
 * Candela embedded: `import { open } from 'candela-db'`.
 *
 * ```ts
 * const database = await open({ directory: './data' });
 * ```
 */
export type { ErrorCode, ErrorKind, RowRejection } from './core/errors.ts';
export { CandelaError, errorTable } from './core/errors.ts';
export type { Logger, LogLevel } from './core/log.ts';
export { createLogger } from './core/log.ts';
export { corporateActionsTable } from './engine/adjust/actions-table.ts';
export { restore } from './engine/backup/backup.ts';
export type {
  BackupInfo,
  BackupOptions,
  BarsRequest,
  BarsResult,
  BusEvent,
  Database,
  DatabaseStatus,
  DeleteRequest,
  DeleteResult,
  Durability,
  GapsRequest,
  GapsResult,
  ReadRequest,
  ReadResult,
  RefreshRequest,
  RefreshResult,
  SeriesFilter,
  SeriesInfo,
  SqlOptions,
  SqlResult,
  SubscribeRequest,
  Subscription,
  TableChange,
  TableInfo,
  WriteOptions,
  WriteResult,
} from './engine/database.ts';
export type { OpenOptions } from './engine/open.ts';
export { open } from './engine/open.ts';
export type { BucketingOptions, WeekStart } from './market/bucketing.ts';
export type { CalendarDef } from './market/calendar/calendar-def.ts';
export type {
  Batch,
  BooleanColumn,
  ColumnData,
  ColumnKind,
  ColumnSet,
  Decimal,
  DecimalColumn,
  DoubleColumn,
  Int64Column,
  Scalar,
  TextColumn,
  TimestampColumn,
} from './market/columns.ts';
export { columnNamed, columnOf, textColumn, valueAt } from './market/columns.ts';
export type {
  Aggregate,
  CandlesDef,
  ColumnDef,
  ColumnRole,
  ColumnType,
  DedupDef,
  GapMode,
  RollupDef,
  TableDef,
  TableKind,
} from './market/schema.ts';
export { formatTimeNs, msFromNs, nsFromMs, parseTimeNs } from './market/time.ts';
