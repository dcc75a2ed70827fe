import { type AnyObject, compareQuantities, deepEqual, parseQuantity } from '../../kube/plain/index.ts';
import { forbiddenField, invalidValue, required } from '../api/failures.ts';
import { type Fields, filled, filling, inside, type Kind, part, textOf, textsOf, without, withSpec, withStatus } from './kind.ts';
import { isVolumeSource, sourceProblems } from './pod-spec.ts';
import { dnsSubdomain, labelSelector, NONE, oneOf, type Problems, unsupported, when } from './problems.ts';

const MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const VOLUME_MODES = ['Block', 'Filesystem'];
const RECLAIM = ['Delete', 'Recycle', 'Retain'];

/** A template of claims, with what a claim has from the beginning. */
export function claimTemplate(claim: Fields): Fields {
  return {
    ...claim,
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    spec: filled(part(claim, 'spec'), { volumeMode: 'Filesystem' }),
    status: filled(part(claim, 'status'), { phase: 'Pending' }),
  };
}

function modeProblems(spec: Fields, missing: string): Problems {
  const modes = textsOf(spec, 'accessModes');
  const field = 'spec.accessModes';
  const isMixed = modes.includes('ReadWriteOncePod') && modes.some((mode) => mode !== 'ReadWriteOncePod' && MODES.includes(mode));
  return [
    ...when(modes.length === 0, required(field, missing)),
    ...modes.flatMap((mode) => oneOf(field, mode, MODES)),
    ...when(isMixed, forbiddenField(field, 'may not use ReadWriteOncePod with other access modes')),
  ];
}

function positive(field: string, value: unknown): Problems {
  const isPositive = compareQuantities(parseQuantity(String(value)), parseQuantity('0')) > 0;
  return when(!isPositive, invalidValue(field, String(value), 'must be greater than zero'));
}

const className = (spec: Fields): Problems =>
  textOf(spec, 'storageClassName') === '' ? NONE : dnsSubdomain('spec.storageClassName', textOf(spec, 'storageClassName'));

const FIXED = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';

function claimUpdate(object: AnyObject, old: AnyObject): Problems {
  const isBound = part(old, 'status').phase === 'Bound';
  const fixed = (claim: AnyObject): Fields => {
    const spec = part(claim, 'spec');
    // A volume is bound to a claim by its name.
    const bare = without(spec, ...(isBound ? ['volumeAttributesClassName'] : []));
    const unnamed = textOf(part(old, 'spec'), 'volumeName') === '' ? without(bare, 'volumeName') : bare;
    return isBound ? inside(unnamed, { resources: (resources) => without(resources, 'requests') }) : unnamed;
  };
  const size = (claim: AnyObject): unknown => part(part(part(claim, 'spec'), 'resources'), 'requests').storage;
  const isFixed = deepEqual(fixed(object), fixed(old));
  const isLess =
    isBound && compareQuantities(parseQuantity(String(size(object) ?? 0)), parseQuantity(String(size(old) ?? 0))) < 0;
  return [
    ...when(!isFixed, forbiddenField('spec', FIXED)),
    ...when(isFixed && isLess, forbiddenField('spec.resources.requests.storage', 'field can not be less than previous value')),
  ];
}

export const persistentVolumeClaim: Kind = {
  defaults: (object) => withStatus(withSpec(object, filling({ volumeMode: 'Filesystem' })), filling({ phase: 'Pending' })),
  // The finalizer that protects a claim in use is left out: nobody would ever take it away.
  prepareCreate: (object) => ({ ...object, status: { phase: 'Pending' } }),
  validate: (object, old) => {
    const spec = part(object, 'spec');
    const { storage } = part(part(spec, 'resources'), 'requests');
    const field = 'spec.resources[storage]';
    return [
      ...modeProblems(spec, 'at least 1 access mode is required'),
      ...labelSelector('spec.selector', part(spec, 'selector')),
      ...(storage === undefined ? [required(field)] : positive(field, storage)),
      ...className(spec),
      ...oneOf('spec.volumeMode', spec.volumeMode, VOLUME_MODES),
      ...(old === undefined ? NONE : claimUpdate(object, old)),
    ];
  },
};

const sources = (spec: Fields): Fields => Object.fromEntries(Object.entries(spec).filter(([name]) => isVolumeSource(name)));

export const persistentVolume: Kind = {
  defaults: (object) =>
    withStatus(
      withSpec(object, (spec) =>
        inside(filled(spec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' }), {
          hostPath: filling({ type: '' }),
        }),
      ),
      filling({ phase: 'Pending' }),
    ),
  prepareCreate: (object, { now }) => ({ ...object, status: { phase: 'Pending', lastPhaseTransitionTime: now() } }),
  validate: (object, old) => {
    const spec = part(object, 'spec');
    const capacity = Object.entries(part(spec, 'capacity'));
    const isStorage = capacity.length === 1 && capacity[0]?.[0] === 'storage';
    const isOther = old !== undefined && !deepEqual(sources(spec), sources(part(old, 'spec')));
    const given = ['local', 'flexVolume'].some((name) => spec[name] !== undefined);
    return [
      ...modeProblems(spec, ''),
      ...when(capacity.length === 0, required('spec.capacity')),
      ...when(!isStorage, unsupported('spec.capacity', spec.capacity ?? null, ['storage'])),
      ...capacity.flatMap(([name, value]) => positive(`spec.capacity[${name}]`, value)),
      ...oneOf('spec.persistentVolumeReclaimPolicy', spec.persistentVolumeReclaimPolicy, RECLAIM),
      ...(given ? NONE : sourceProblems(spec, 'spec', 'must specify a volume type')),
      ...className(spec),
      ...oneOf('spec.volumeMode', spec.volumeMode, VOLUME_MODES),
      ...when(isOther, forbiddenField('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation')),
    ];
  },
};
