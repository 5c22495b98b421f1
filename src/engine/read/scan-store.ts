import type { ColumnSet } from '../../market/columns.ts';
import type { ScanRequest, Storage } from '../../storage/storage.ts';

/**
 * A scan whose rows may come in any order, but are those that the request's limit leaves in its order. The store is
 * asked to sort only if it must: sorting takes longer than reading, and most bounded ranges hold less than the limit.
 */
export async function scanStore(storage: Storage, request: ScanRequest): Promise<ColumnSet> {
  const { fromNs, toNs, after, limit } = request;
  if (after !== null) return storage.scan(request);
  if (limit === null) return storage.scan({ ...request, order: 'any' });
  if (fromNs === null || toNs === null) return storage.scan(request);
  const some = await storage.scan({ ...request, order: 'any' });
  return some.rowCount < limit ? some : storage.scan(request);
}
