import {
  type AnyObject,
  checkDns1035Label,
  checkDnsSubdomain,
  deepEqual,
  isRecord,
  type StructuralSchema,
} from '../../kube/plain/index.ts';
import { type FieldProblem, invalidValue, notImplemented, required } from '../api/failures.ts';
import type { CelEvaluator } from '../schema/cel.ts';
import { ruleShapeProblems, ruleTextProblems } from '../schema/check-rules.ts';
import { type Fields, filled, type Kind, type KindContext, listOf, part, withSpec } from './kind.ts';

export const customResourceDefinition: Kind = {
  checkName: checkDnsSubdomain,
  defaults: (object) =>
    withSpec(object, (spec) => {
      const names = part(spec, 'names');
      const kind = String(names.kind ?? '');
      return {
        ...filled(spec, { conversion: { strategy: 'None' } }),
        names: filled(names, { singular: kind.toLowerCase(), listKind: `${kind}List` }),
      };
    }),
  prepareCreate: (object, context) => ({ ...object, status: establishedStatus(object, context) }),
  prepareUpdate: (object, old) => ({ ...object, status: old.status }),
  validate: validateDefinition,
};

/** The server accepts the names at once: there is nobody to wait for. */
function establishedStatus(object: AnyObject, { now }: KindContext): Fields {
  const spec = part(object, 'spec');
  const storage = listOf(spec, 'versions').find((version) => version.storage === true);
  const lastTransitionTime = now();
  return {
    conditions: [
      { lastTransitionTime, message: 'no conflicts found', reason: 'NoConflicts', status: 'True', type: 'NamesAccepted' },
      {
        lastTransitionTime,
        message: 'the initial names have been accepted',
        reason: 'InitialNamesAccepted',
        status: 'True',
        type: 'Established',
      },
    ],
    acceptedNames: spec.names,
    storedVersions: storage === undefined ? [] : [storage.name],
  };
}

function validateDefinition(object: AnyObject, _old?: AnyObject, cel?: CelEvaluator): readonly FieldProblem[] {
  const spec = part(object, 'spec');
  const names = part(spec, 'names');
  const versions = listOf(spec, 'versions');
  const problems: FieldProblem[] = [];
  const expected = `${String(names.plural ?? '')}.${String(spec.group ?? '')}`;
  if (object.metadata.name !== expected) {
    problems.push(invalidValue('metadata.name', object.metadata.name, 'must be spec.names.plural+"."+spec.group'));
  }
  if (versions.filter((version) => version.storage === true).length !== 1) {
    problems.push(
      invalidValue(
        'spec.versions',
        versions.map(({ name }) => name),
        'must have exactly one version marked as storage version',
      ),
    );
  }
  problems.push(...approvalProblems(object, String(spec.group ?? '')));
  for (const message of checkDns1035Label(String(names.plural ?? '')))
    problems.push(invalidValue('spec.names.plural', names.plural, message));
  return [...problems, ...schemaProblems(versions, cel)];
}

const APPROVAL = 'api-approved.kubernetes.io';
const SEE = 'see https://github.com/kubernetes/enhancements/pull/1111';

/** Groups of Kubernetes itself want to be approved, or to say that they aren't (KEP-1111). */
function approvalProblems(object: AnyObject, group: string): readonly FieldProblem[] {
  const isProtected = /(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group);
  const approval = object.metadata.annotations?.[APPROVAL] ?? '';
  const field = `metadata.annotations[${APPROVAL}]`;
  const wanted = `protected groups must have approval annotation "${APPROVAL}"`;
  if (!isProtected || approval.startsWith('unapproved')) return [];
  if (approval === '') return [required(field, `${wanted}, ${SEE}`)];
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\/[^/\s]+/i.test(approval);
  return isUrl
    ? []
    : [invalidValue(field, approval, `${wanted} with either a URL or a reason starting with "unapproved", ${SEE}`)];
}

/** A schema that all versions share is spoken of as if it stood above them. */
function schemaProblems(versions: readonly Fields[], cel: CelEvaluator | undefined): readonly FieldProblem[] {
  const schemas = versions.map((version) => part(part(version, 'schema'), 'openAPIV3Schema'));
  const [first] = schemas;
  const isShared = first !== undefined && schemas.every((schema) => deepEqual(schema, first));
  const paths = isShared
    ? ['spec.validation.openAPIV3Schema']
    : schemas.map((_, index) => `spec.versions[${index}].schema.openAPIV3Schema`);
  return paths.flatMap((path, index) => {
    const schema = schemas[index] ?? {};
    if (Object.keys(schema).length === 0) return [required(path, 'schemas are required')];
    const problems = structureProblems(schema, path, true);
    // Rules can only be read where the schema tells their types.
    return problems.length === 0 ? ruleTextProblems(schema, path, cel) : problems;
  });
}

/** The rules of structural schemas that people break most, and what can't be simulated. */
function structureProblems(schema: StructuralSchema, path: string, isRoot = false): readonly FieldProblem[] {
  if (typeof schema.pattern === 'string') checkPattern(schema.pattern);
  const isUntyped = schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  const problems: FieldProblem[] = [];
  if (schema.type === undefined && !isUntyped) {
    problems.push(
      required(`${path}.type`, isRoot ? 'must not be empty at the root' : 'must not be empty for specified object fields'),
    );
  } else if (isRoot && schema.type !== 'object') {
    problems.push(invalidValue(`${path}.type`, schema.type, 'must be object at the root'));
  }
  if (isRecord(schema.properties) && isRecord(schema.additionalProperties)) {
    problems.push({
      type: 'Forbidden',
      field: `${path}.additionalProperties`,
      body: 'Forbidden: additionalProperties and properties are mutual exclusive',
    });
  }
  return [...problems, ...childProblems(schema, path), ...ruleShapeProblems(schema, path)];
}

function childProblems(schema: StructuralSchema, path: string): readonly FieldProblem[] {
  const properties = Object.entries(isRecord(schema.properties) ? schema.properties : {});
  return [
    ...properties.flatMap(([name, child]) => (isRecord(child) ? structureProblems(child, `${path}.properties[${name}]`) : [])),
    ...(isRecord(schema.items) ? structureProblems(schema.items, `${path}.items`) : []),
    ...(isRecord(schema.additionalProperties)
      ? structureProblems(schema.additionalProperties, `${path}.additionalProperties`)
      : []),
  ];
}

function checkPattern(pattern: string): void {
  try {
    new RegExp(pattern);
  } catch {
    throw notImplemented(`the pattern ${JSON.stringify(pattern)}, which JavaScript can't read`);
  }
}
