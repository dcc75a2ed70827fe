import type { KindCase } from './case.ts';
import { CORE_CASES, QUOTA_CASES } from './core.ts';
import { EVENT_CASES } from './events.ts';
import { OTHER_CASES } from './others.ts';
import { POD_CASES } from './pods.ts';
import { SERVICE_CASES } from './services.ts';
import { WORKLOAD_CASES } from './workloads.ts';

/** Objects as people write them, right and wrong, of every built-in kind. */
export const KIND_CASES: readonly KindCase[] = [
  ...CORE_CASES,
  ...POD_CASES,
  ...WORKLOAD_CASES,
  ...SERVICE_CASES,
  ...OTHER_CASES,
  ...EVENT_CASES,
  ...QUOTA_CASES,
];
