#!/usr/bin/env node
// The store's calls and the log's writes share Node's thread pool. Its usual 4 threads may all be taken by queries, and
// every acknowledgement would wait for one of them. Node reads its size when the pool starts, which loading the first ES
// module does: hence a CommonJS file. `storage/duckdb/thread-pool.ts` shares the threads out.
process.env.UV_THREADPOOL_SIZE ??= '12';
void import('./main.ts');
