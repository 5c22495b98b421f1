import type { Scenario } from './harness/scenario.ts';
import { appendScenarios } from './macro/append.ts';
import { asOfScenario } from './macro/asof.ts';
import { backfillScenario } from './macro/backfill.ts';
import { httpWriteScenarios } from './macro/http-write.ts';
import { klineScenarios } from './macro/klines.ts';
import { lateTickScenario } from './macro/late-ticks.ts';
import { liveLatencyScenario } from './macro/live-latency.ts';
import { memoryScenario } from './macro/memory.ts';
import { readScenario } from './macro/reads.ts';
import { restartScenario } from './macro/restart.ts';
import { sealedReadScenario } from './macro/sealed-read.ts';
import { sqlBarsScenario } from './macro/sql-bars.ts';
import { installScenario, startScenario } from './macro/start.ts';
import { cascadeScenarios } from './micro/cascade.ts';
import { codecScenarios } from './micro/codecs.ts';
import { numberKindsScenario } from './micro/number-kinds.ts';
import { walScenarios } from './micro/wal.ts';

/** Every scenario, in the order of the report. */
export const scenarios: Scenario[] = [
  ...appendScenarios,
  ...httpWriteScenarios,
  liveLatencyScenario,
  readScenario,
  sealedReadScenario,
  lateTickScenario,
  ...klineScenarios,
  sqlBarsScenario,
  asOfScenario,
  memoryScenario,
  restartScenario,
  backfillScenario,
  startScenario,
  installScenario,
  ...cascadeScenarios,
  numberKindsScenario,
  ...walScenarios,
  ...codecScenarios,
];
