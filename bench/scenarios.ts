import type { Scenario } from './harness/scenario.ts';
import { appendScenarios } from './macro/append.ts';
import { httpWriteScenarios } from './macro/http-write.ts';
import { liveLatencyScenario } from './macro/live-latency.ts';
import { cascadeScenario } from './micro/cascade.ts';
import { codecScenarios } from './micro/codecs.ts';
import { numberKindsScenario } from './micro/number-kinds.ts';
import { walScenarios } from './micro/wal.ts';

/** Every scenario, in the order of the report. */
export const scenarios: Scenario[] = [
  ...appendScenarios,
  ...httpWriteScenarios,
  liveLatencyScenario,
  cascadeScenario,
  numberKindsScenario,
  ...walScenarios,
  ...codecScenarios,
];
