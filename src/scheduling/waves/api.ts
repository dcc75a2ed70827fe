import { z } from 'zod';
import { clusterSelectionFields } from '../policy/selection.ts';

const intOrPercent = z.union([z.int32(), z.string()]);
const seconds = z.int32();

const wave = z.object({
  name: z.string().min(1).describe('Unique among the waves.'),
  ...clusterSelectionFields,
  maxConcurrency: intOrPercent
    .exactOptional()
    .describe('How many clusters of the wave change at a time: a number, or a percentage rounded down. At least 1. Default 1.'),
  waitSeconds: seconds.exactOptional().describe('How long to wait after all clusters of the wave are ready. Default 0.'),
  approvalBefore: z.boolean().exactOptional().describe('Whether somebody has to approve before the wave begins. Default false.'),
  approvalAfter: z
    .boolean()
    .exactOptional()
    .describe('Whether somebody has to approve before the next wave begins. Default false.'),
});

/**
 * Waves of a rollout, as a part of a policy: structural, so that a CRD can hold it. `checkWaves` says what makes no sense in one.
 */
export const rolloutWavesSchema = z.object({
  waves: z.array(wave).describe('In their order. Each cluster is in exactly one.'),
  rest: z.boolean().exactOptional().describe('Whether clusters that no wave selects are a last one of their own. Default false.'),
  maxFailures: intOrPercent
    .exactOptional()
    .describe('How many clusters may fail before nothing more is changed: a number, or a percentage rounded down. Default 0.'),
  minReadySeconds: seconds.exactOptional().describe('How long a cluster has to be ready before it counts. Default 0.'),
  progressDeadlineSeconds: seconds
    .exactOptional()
    .describe('How long a cluster may take to get ready before it counts as failed. Default: as long as it takes.'),
  state: z.enum(['Run', 'Stop']).exactOptional().describe('Stop: nothing more is changed. Default Run.'),
});

/** Waves of a rollout, as a policy writes them. */
export type RolloutWaves = Readonly<z.infer<typeof rolloutWavesSchema>>;
/** One of them. */
export type RolloutWave = Readonly<z.infer<typeof wave>>;
