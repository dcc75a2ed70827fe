import { formatFieldPath, type Issue, structuralSchema } from '../../kube/index.ts';
import { below, type Finding, issuesOf, repeated, unknownFields, when } from '../policy/check-finding.ts';
import { selectionFindings } from '../policy/check-selection.ts';
import { clustersIn } from './amount.ts';
import { type RolloutWave, type RolloutWaves, rolloutWavesSchema } from './api.ts';
import { REST_WAVE } from './membership.ts';

/**
 * Everything in the waves of a policy that makes no sense, with the path of its field from there on: names that are there twice, clusters that
 * are in two waves for certain, amounts and times that are none. Nothing for good ones; never throws.
 */
export function checkWaves(value: unknown): readonly Issue[] {
  const unknown = issuesOf(unknownFields(value, structuralSchema(rolloutWavesSchema)), value);
  const result = rolloutWavesSchema.safeParse(value);
  if (result.success) return [...unknown, ...issuesOf(wavesFindings(result.data), value)];
  const shape = result.error.issues.map(({ path, message }) => ({
    field: formatFieldPath(path.map(String), value),
    message: message.replace(/^Invalid input: /, ''),
  }));
  return [...shape, ...unknown];
}

const AMOUNT = 'write a number, or a whole percentage such as "25%"';

/** The same without the shape, for waves that are part of something larger. */
export function wavesFindings(all: RolloutWaves): readonly Finding[] {
  const { waves, rest = false, maxFailures = 0, minReadySeconds = 0, progressDeadlineSeconds: deadline = 1 } = all;
  const names = waves.map(({ name }) => name);
  const isTaken = rest && names.includes(REST_WAVE);
  return [
    ...when(waves.length === 0 && !rest, ['waves'], 'has no wave, so that no cluster is ever changed', 'add a wave, or set rest'),
    ...repeated(names, []).map(({ at: [index = ''], ...finding }) => ({ ...finding, at: ['waves', index, 'name'] })),
    ...when(
      isTaken,
      ['waves', `${names.indexOf(REST_WAVE)}`, 'name'],
      `"${REST_WAVE}" is the wave of all other clusters`,
      'use another name',
    ),
    ...waves.flatMap((wave, index) => below(['waves', `${index}`], waveFindings(wave))),
    ...overlaps(waves),
    ...everything(waves, rest),
    ...when(
      clustersIn(maxFailures, 100) === undefined,
      ['maxFailures'],
      `${JSON.stringify(maxFailures)} is no number of clusters`,
      AMOUNT,
    ),
    ...when(minReadySeconds < 0, ['minReadySeconds'], 'must not be negative'),
    ...when(
      deadline < 1,
      ['progressDeadlineSeconds'],
      'must be at least 1',
      'take it out where a cluster may take as long as it likes',
    ),
  ];
}

function waveFindings(wave: RolloutWave): readonly Finding[] {
  const { maxConcurrency = 1, waitSeconds = 0 } = wave;
  const amount = clustersIn(maxConcurrency, 100);
  const isNone = amount === undefined;
  return [
    ...selectionFindings(wave),
    ...when(isNone, ['maxConcurrency'], `${JSON.stringify(maxConcurrency)} is no number of clusters`, AMOUNT),
    ...when(amount === 0, ['maxConcurrency'], 'must be at least 1', 'to stop the rollout, set state to Stop'),
    ...when(waitSeconds < 0, ['waitSeconds'], 'must not be negative'),
  ];
}

/** Clusters that two waves name. What selectors have in common, only a fleet can tell. */
function overlaps(waves: readonly RolloutWave[]): readonly Finding[] {
  const first = new Map<string, number>();
  return waves.flatMap(({ clusterNames = [], exclude = [], labelSelector, fields, properties }, index) => {
    // With a selector beside it, a name is only perhaps in the wave.
    if (labelSelector !== undefined || fields !== undefined || properties !== undefined) return [];
    const excluded = new Set(exclude);
    return clusterNames.flatMap((name, at) => {
      const earlier = first.get(name);
      if (earlier === undefined && !excluded.has(name)) first.set(name, index);
      const message = `"${name}" is in waves[${earlier}] already`;
      const isTwice = earlier !== undefined && earlier !== index && !excluded.has(name);
      return when(isTwice, ['waves', `${index}`, 'clusterNames', `${at}`], message, 'each cluster belongs to one wave');
    });
  });
}

/** A wave of all clusters leaves none for the others. */
function everything(waves: readonly RolloutWave[], rest: boolean): readonly Finding[] {
  if (waves.length + (rest ? 1 : 0) < 2) return [];
  return waves.flatMap(({ clusterNames, exclude = [], labelSelector, fields = [], properties = [] }, index) => {
    const isEmpty =
      labelSelector === undefined ||
      (Object.keys(labelSelector.matchLabels ?? {}).length === 0 && (labelSelector.matchExpressions ?? []).length === 0);
    const isAll = clusterNames === undefined && exclude.length + fields.length + properties.length === 0 && isEmpty;
    return when(isAll, ['waves', `${index}`], 'selects every cluster, and there are other waves', 'say which clusters it is for');
  });
}
