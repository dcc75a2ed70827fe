import { type AnyObject, checkDnsSubdomain, deepEqual } from '../../kube/plain/index.ts';
import { invalidValue, required } from '../api/failures.ts';
import { cronProblem } from './cron.ts';
import { each, type Fields, filled, filling, inside, type Kind, NO_TIMES, numberOf, part, textOf, withSpec } from './kind.ts';
import { podSpecProblems } from './pod-spec.ts';
import { templateDefaults } from './pod-template.ts';
import { IMMUTABLE, labelSelector, NONE, notNegative, oneOf, type Problems, unsupported, when } from './problems.ts';
import { templateProblems } from './workloads.ts';

const UNLIMITED = 2 ** 31 - 1;
const UID_LABEL = 'batch.kubernetes.io/controller-uid';

const failurePolicy = (policy: Fields): Fields =>
  each(policy, { rules: (rule) => each(rule, { onPodConditions: filling({ status: 'True' }) }) });

function jobSpecDefaults(spec: Fields): Fields {
  const isAlone = spec.completions === undefined && spec.parallelism === undefined;
  return inside(
    filled(spec, {
      ...(isAlone ? { completions: 1 } : {}),
      parallelism: 1,
      backoffLimit: spec.backoffLimitPerIndex === undefined ? 6 : UNLIMITED,
      completionMode: 'NonIndexed',
      suspend: false,
      podReplacementPolicy: spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed',
      manualSelector: false,
    }),
    { podFailurePolicy: failurePolicy },
  );
}

/** A job without labels has those of its template. */
function labelled(object: AnyObject): AnyObject {
  const labels = part(part(part(object, 'spec'), 'template'), 'metadata').labels as AnyObject['metadata']['labels'];
  const isBare = Object.keys(object.metadata.labels ?? {}).length === 0;
  return isBare && labels !== undefined ? { ...object, metadata: { ...object.metadata, labels } } : object;
}

/** A job finds its pods by its uid, unless it says otherwise. */
function withSelector(object: AnyObject): AnyObject {
  const { name, uid = '', labels } = object.metadata;
  const spec = part(object, 'spec');
  if (spec.manualSelector === true) return object;
  const own = { 'controller-uid': uid, 'job-name': name, [UID_LABEL]: uid, 'batch.kubernetes.io/job-name': name };
  const template = part(spec, 'template');
  const metadata = part(template, 'metadata');
  const selector = part(spec, 'selector');
  const matchLabels = { ...part(selector, 'matchLabels'), [UID_LABEL]: uid };
  const given = part(metadata, 'labels');
  // Labels that the job has from its template are one with those.
  const isShared = labels === undefined || deepEqual(labels, given);
  return {
    ...object,
    metadata: isShared ? { ...object.metadata, labels: { ...labels, ...own } } : object.metadata,
    spec: {
      ...spec,
      selector: { ...selector, matchLabels },
      template: { ...template, metadata: { ...metadata, labels: { ...given, ...own } } },
    },
  };
}

function jobSpecProblems(spec: Fields, path: string): Problems {
  const pod = part(part(spec, 'template'), 'spec');
  const counts = ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'];
  const restart = `${path}.template.spec.restartPolicy`;
  const policy = textOf(pod, 'restartPolicy');
  const isKnown = ['OnFailure', 'Never', 'Always', ''].includes(policy);
  return [
    ...notNegative(path, spec, ...counts, 'backoffLimitPerIndex', 'maxFailedIndexes'),
    ...indexProblems(spec, path),
    ...podSpecProblems(pod, `${path}.template.spec`),
    ...when(policy === 'Always' || policy === '', required(restart, 'valid values: "OnFailure", "Never"')),
    ...when(!isKnown, unsupported(restart, policy, ['OnFailure', 'Never'])),
    ...when(
      policy === 'OnFailure' && spec.podFailurePolicy !== undefined,
      invalidValue(restart, policy, 'only "Never" is supported when podFailurePolicy is specified'),
    ),
  ];
}

function indexProblems(spec: Fields, path: string): Problems {
  const isIndexed = spec.completionMode === 'Indexed';
  const perIndex = ['backoffLimitPerIndex', 'maxFailedIndexes'].filter((name) => spec[name] !== undefined);
  const isTooMany =
    isIndexed && spec.completions !== undefined && numberOf(spec, 'maxFailedIndexes') > numberOf(spec, 'completions');
  return [
    ...when(
      spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined,
      required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'),
    ),
    ...oneOf(`${path}.completionMode`, spec.completionMode, ['NonIndexed', 'Indexed']),
    ...when(isIndexed && spec.completions === undefined, required(`${path}.completions`, 'when completion mode is Indexed')),
    ...when(
      isTooMany,
      invalidValue(`${path}.maxFailedIndexes`, spec.maxFailedIndexes, 'must be less than or equal to completions'),
    ),
    ...(isIndexed ? [] : perIndex.map((name) => invalidValue(`${path}.${name}`, spec[name], 'requires indexed completion mode'))),
  ];
}

const LASTING = [
  'selector',
  'template',
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'managedBy',
  'successPolicy',
];

/** While a job is suspended, where its pods go may change. */
function comparable(spec: Fields, isSuspended: boolean): Fields {
  if (!isSuspended) return spec;
  const template = part(spec, 'template');
  const { nodeSelector: _n, affinity: _a, tolerations: _t, schedulingGates: _g, ...pod } = part(template, 'spec');
  return { ...spec, template: { spec: pod } };
}

function jobUpdate(spec: Fields, before: Fields): Problems {
  const isElastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism;
  const isSuspended = before.suspend === true;
  const [now, then] = [comparable(spec, isSuspended), comparable(before, isSuspended)];
  return [
    ...when(
      spec.completions !== before.completions && !isElastic,
      invalidValue('spec.completions', spec.completions ?? null, IMMUTABLE),
    ),
    ...LASTING.filter((name) => !deepEqual(now[name], then[name])).map((name) =>
      invalidValue(`spec.${name}`, spec[name] ?? null, IMMUTABLE),
    ),
  ];
}

function validateJob(object: AnyObject, old: AnyObject | undefined): Problems {
  const spec = part(object, 'spec');
  const wanted = { matchLabels: { [UID_LABEL]: object.metadata.uid } };
  const isOwn = spec.manualSelector === true || old !== undefined || deepEqual(spec.selector, wanted);
  const selector = [
    ...jobSpecProblems(spec, 'spec'),
    ...(spec.selector === undefined ? [required('spec.selector')] : labelSelector('spec.selector', part(spec, 'selector'))),
  ];
  return [
    ...when(!isOwn, invalidValue('spec.selector', spec.selector, '`selector` not auto-generated')),
    ...selector,
    ...(selector.length === 0 ? templateProblems(spec, 'spec') : NONE),
    ...(old === undefined ? NONE : jobUpdate(spec, part(old, 'spec'))),
  ];
}

export const job: Kind = {
  defaults: (object) => {
    const changed = withSpec(object, (spec) => ({
      ...jobSpecDefaults(spec),
      template: templateDefaults(part(spec, 'template')),
    }));
    const status = each(part(object, 'status'), { conditions: filling(NO_TIMES) });
    return labelled({ ...changed, status });
  },
  prepareCreate: withSelector,
  validate: validateJob,
};

const NAME_SUFFIX = 11;
const LONGEST_NAME = 63 - NAME_SUFFIX;

function validateCronJob(object: AnyObject): Problems {
  const spec = part(object, 'spec');
  const { name } = object.metadata;
  const schedule = textOf(spec, 'schedule');
  const wrong = schedule === '' ? undefined : cronProblem(schedule);
  const zoned = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
  return [
    ...when(name.length > LONGEST_NAME, invalidValue('metadata.name', name, `must be no more than ${LONGEST_NAME} characters`)),
    ...when(schedule === '', required('spec.schedule')),
    ...when(wrong !== undefined, invalidValue('spec.schedule', schedule, wrong ?? '')),
    ...when(schedule.includes('TZ'), invalidValue('spec.schedule', schedule, zoned)),
    ...notNegative('spec', spec, 'startingDeadlineSeconds'),
    ...zoneProblems(spec),
    ...oneOf('spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']),
    ...jobSpecProblems(part(part(spec, 'jobTemplate'), 'spec'), 'spec.jobTemplate.spec'),
    ...notNegative('spec', spec, 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'),
  ];
}

function zoneProblems(spec: Fields): Problems {
  const { timeZone } = spec;
  if (typeof timeZone !== 'string') return NONE;
  if (timeZone === '') return [invalidValue('spec.timeZone', timeZone, 'timeZone must be nil or non-empty string')];
  try {
    Intl.DateTimeFormat('en', { timeZone });
    return NONE;
  } catch {
    return [invalidValue('spec.timeZone', timeZone, `unknown time zone ${timeZone}`)];
  }
}

export const cronJob: Kind = {
  checkName: checkDnsSubdomain,
  defaults: (object) =>
    withSpec(object, (spec) => {
      const jobTemplate = part(spec, 'jobTemplate');
      const jobSpec = part(jobTemplate, 'spec');
      const changed = {
        ...inside(jobSpec, { podFailurePolicy: failurePolicy }),
        template: templateDefaults(part(jobSpec, 'template')),
      };
      return {
        ...filled(spec, { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 }),
        jobTemplate: { ...jobTemplate, spec: changed },
      };
    }),
  validate: validateCronJob,
};
