import { type AnyObject, checkDnsLabel, checkLabelKey, deepEqual } from '../../kube/plain/index.ts';
import { type FieldProblem, forbiddenField, invalidValue, required } from '../api/failures.ts';
import {
  each,
  type Fields,
  filled,
  filling,
  inside,
  type Kind,
  listOf,
  part,
  textOf,
  textsOf,
  withSpec,
  withStatus,
} from './kind.ts';
import { EFFECTS } from './pod-spec.ts';
import { duplicate, IMMUTABLE, invalidBy, NONE, type Problems, unsupported, when } from './problems.ts';

const NAME_LABEL = 'kubernetes.io/metadata.name';
const UNQUALIFIED = 'name is neither a standard finalizer name nor is it fully qualified';

/** A namespace terminates when it is deleted, and only then. */
function phaseProblems(object: AnyObject): Problems {
  const { phase } = part(object, 'status');
  const isTerminating = object.metadata.deletionTimestamp !== undefined;
  const wanted = isTerminating ? 'Terminating' : 'Active';
  const detail = `may only be '${wanted}' if \`deletionTimestamp\` is ${isTerminating ? 'not empty' : 'empty'}`;
  return when(phase !== undefined && phase !== wanted, invalidValue('status.Phase', phase, detail));
}

const withNameLabel = (object: AnyObject): AnyObject => ({
  ...object,
  metadata: { ...object.metadata, labels: { ...object.metadata.labels, [NAME_LABEL]: object.metadata.name } },
});

export const namespace: Kind = {
  checkName: checkDnsLabel,
  // A name that is made up is known later.
  defaults: (object) => ((object.metadata.name ?? '') === '' ? object : withNameLabel(object)),
  prepareCreate: (object) => ({
    ...withSpec(withNameLabel(object), (spec) => {
      const given = textsOf(spec, 'finalizers');
      return { ...spec, finalizers: given.includes('kubernetes') ? given : [...given, 'kubernetes'] };
    }),
    status: { phase: 'Active' },
  }),
  // Finalizers of the spec are taken away on a path of their own.
  prepareUpdate: (object, old) => ({ ...object, spec: old.spec, status: old.status }),
  prepareStatus: (object) => withStatus(object, filling({ phase: 'Active' })),
  validate: (object, old) => [
    ...(old === undefined ? NONE : phaseProblems(object)),
    ...textsOf(part(object, 'spec'), 'finalizers').flatMap((name) => [
      ...invalidBy('spec.finalizers', name, checkLabelKey(name)),
      ...when(!name.includes('/') && name !== 'kubernetes', invalidValue('spec.finalizers', name, UNQUALIFIED)),
    ]),
  ],
};

const KEY =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const MOST_BYTES = 1_048_576;

/** What is wrong with a name in the data of a ConfigMap or a Secret. */
function checkConfigKey(key: string): readonly string[] {
  const problems = key.length > 253 ? ['must be no more than 253 characters'] : [];
  if (!/^[-._a-zA-Z0-9]+$/.test(key)) return [...problems, KEY];
  if (key === '.') return [...problems, "must not be '.'"];
  if (key === '..') return [...problems, "must not be '..'"];
  return key.startsWith('..') ? [...problems, "must not start with '..'"] : problems;
}

function keyProblems(object: AnyObject, ...fields: readonly string[]): Problems {
  const size = fields
    .flatMap((field) => Object.values(part(object, field)))
    .reduce<number>((sum, value) => sum + String(value).length, 0);
  const tooLong: FieldProblem = {
    type: 'TooLong',
    field: fields.length > 1 ? '' : 'data',
    body: `Too long: may not be more than ${MOST_BYTES} bytes`,
  };
  const keys = fields.flatMap((field) =>
    Object.keys(part(object, field))
      .toSorted()
      .flatMap((key) => invalidBy(`${field}[${key}]`, key, checkConfigKey(key))),
  );
  return [...keys, ...when(size > MOST_BYTES, tooLong)];
}

/** What each type of Secret needs. */
const SECRET_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};
const ACCOUNT = 'kubernetes.io/service-account.name';

function typeProblems(object: AnyObject): Problems {
  const type = textOf(object, 'type');
  const data = part(object, 'data');
  if (type === 'kubernetes.io/service-account-token') {
    const field = `metadata.annotations[${ACCOUNT}]`;
    return when((object.metadata.annotations?.[ACCOUNT] ?? '') === '', required(field));
  }
  if (type === 'kubernetes.io/basic-auth') {
    const isNothing = data.username === undefined && data.password === undefined;
    return when(isNothing, required('data[username]'), required('data[password]'));
  }
  const missing = (SECRET_KEYS[type] ?? []).filter((key) => data[key] === undefined).map((key) => required(`data[${key}]`));
  return [...missing, ...dockerProblems(type, data)];
}

/** The words of Go's reader of JSON, as far as they are about the first character. */
function dockerProblems(type: string, data: Fields): Problems {
  const key = type.startsWith('kubernetes.io/dockercfg') ? '.dockercfg' : '.dockerconfigjson';
  if (!type.startsWith('kubernetes.io/dockerc') || data[key] === undefined) return NONE;
  const text = atob(String(data[key]));
  try {
    JSON.parse(text);
    return NONE;
  } catch {
    const found =
      text.trim() === ''
        ? 'unexpected end of JSON input'
        : `invalid character '${text.trim()[0]}' looking for beginning of value`;
    return [invalidValue(`data[${key}]`, '<secret contents redacted>', found)];
  }
}

export const secret: Kind = {
  defaults: (object) => {
    const { stringData, ...rest } = object;
    const typed = rest.type === undefined ? { ...rest, type: 'Opaque' } : rest;
    if (stringData === undefined) return typed as AnyObject;
    const encoded = Object.entries(stringData as Record<string, string>).map(([name, value]) => [name, base64(value)]);
    return { ...typed, data: { ...part(rest, 'data'), ...Object.fromEntries(encoded) } } as AnyObject;
  },
  validate: (object, old) => [
    ...when(old !== undefined && old.type !== object.type, invalidValue('type', object.type, IMMUTABLE)),
    ...immutableProblems(object, old),
    ...keyProblems(object, 'data'),
    ...typeProblems(object),
  ],
};

export const configMap: Kind = {
  validate: (object, old) => {
    const binary = part(object, 'binaryData');
    const twice = Object.keys(part(object, 'data')).filter((key) => Object.hasOwn(binary, key));
    return [
      ...immutableProblems(object, old),
      ...twice.map((key) => invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData')),
      ...keyProblems(object, 'data', 'binaryData'),
    ];
  },
};

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function immutableProblems(object: AnyObject, old: AnyObject | undefined): Problems {
  if (old?.immutable !== true) return [];
  return ['immutable', 'data', 'stringData', 'binaryData']
    .filter((field) => !deepEqual(old[field], object[field]))
    .map((field) => forbiddenField(field, 'field is immutable when `immutable` is set'));
}

const NO_INFO = Object.fromEntries(
  [
    'architecture',
    'bootID',
    'containerRuntimeVersion',
    'kernelVersion',
    'kubeProxyVersion',
    'kubeletVersion',
    'machineID',
    'operatingSystem',
    'osImage',
    'systemUUID',
  ].map((name) => [name, '']),
);

function nodeStatus(status: Fields): Fields {
  const base = filled(status, {
    daemonEndpoints: {},
    nodeInfo: {},
    ...(status.capacity === undefined ? {} : { allocatable: status.capacity }),
  });
  return inside(each(base, { conditions: filling({ lastHeartbeatTime: null, lastTransitionTime: null }) }), {
    nodeInfo: filling(NO_INFO),
    daemonEndpoints: (endpoints) => ({ kubeletEndpoint: { Port: 0, ...part(endpoints, 'kubeletEndpoint') } }),
  });
}

function taintProblems(taints: readonly Fields[]): Problems {
  const seen = new Set<string>();
  return taints.flatMap((taint, index) => {
    const path = `metadata.taints[${index}]`;
    const [key, effect] = [textOf(taint, 'key'), textOf(taint, 'effect')];
    const isKnown = seen.has(`${key} ${effect}`);
    if (effect !== '') seen.add(`${key} ${effect}`);
    const shown = { Key: key, Value: textOf(taint, 'value'), Effect: effect, TimeAdded: null };
    return [
      ...invalidBy(`${path}.key`, key, checkLabelKey(key)),
      ...when(effect === '', required(`${path}.effect`)),
      ...when(effect !== '' && !EFFECTS.includes(effect), unsupported(`${path}.effect`, effect, EFFECTS)),
      ...when(isKnown, duplicate(path, shown, 'taints must be unique by key and effect pair')),
    ];
  });
}

export const node: Kind = {
  defaults: (object) => {
    const ranged = withSpec(object, (spec) => (spec.podCIDR === undefined ? spec : filled(spec, { podCIDRs: [spec.podCIDR] })));
    return withStatus(ranged, nodeStatus);
  },
  prepareCreate: (object) => withStatus(object, nodeStatus),
  validate: (object) => taintProblems(listOf(part(object, 'spec'), 'taints')),
};

/** A limit that isn't given is the highest that may be; a request that isn't given is the limit, or else the least that may be. */
function limitDefaults(item: Fields): Fields {
  if (item.type !== 'Container') return item;
  const limits = filled(part(item, 'default'), part(item, 'max'));
  const requests = filled(filled(part(item, 'defaultRequest'), limits), part(item, 'min'));
  const given = Object.entries({ default: limits, defaultRequest: requests }).filter(
    ([, value]) => Object.keys(value).length > 0,
  );
  return { ...item, ...Object.fromEntries(given) };
}

export const limitRange: Kind = { defaults: (object) => withSpec(object, (spec) => each(spec, { limits: limitDefaults })) };

const positive = (spec: Fields, name: string): Problems => {
  const value = spec[name];
  return when(typeof value === 'number' && value <= 0, invalidValue(`spec.${name}`, value, 'must be greater than 0'));
};

export const lease: Kind = {
  validate: (object) => {
    const spec = part(object, 'spec');
    const changes = spec.leaseTransitions;
    const isNegative = typeof changes === 'number' && changes < 0;
    return [
      ...positive(spec, 'leaseDurationSeconds'),
      ...when(isNegative, invalidValue('spec.leaseTransitions', changes, 'must be greater than or equal to 0')),
    ];
  },
};
