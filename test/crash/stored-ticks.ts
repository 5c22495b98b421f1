import type { StoredTable } from '../../src/storage/storage.ts';

/** Ticks as the engine has them stored: the table of the store's crash tests. */
export const storedTicks: StoredTable = {
  id: 1,
  columns: [
    { name: '_series', type: { kind: 'int32' }, nullable: false },
    { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true }, nullable: false },
    { name: '_version', type: { kind: 'int64' }, nullable: false },
    { name: 'price', type: { kind: 'double' }, nullable: true },
  ],
  roles: { series: '_series', time: 'time', version: '_version' },
};
