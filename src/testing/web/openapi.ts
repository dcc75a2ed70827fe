import { sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { apiVersionOf, utf8 } from '../../kube/plain/index.ts';
import type { Served } from '../api/catalogue.ts';
import { Components } from './openapi-components.ts';

/** A document with what tells it from others, as clients keep it. */
export interface Hashed {
  readonly text: string;
  /** Upper case, as in an ETag. */
  readonly hash: string;
}

/** The hash of a text as Kubernetes' own documents have it. */
export function hashed(text: string): Hashed {
  return { text, hash: bytesToHex(sha512(utf8(text))).toUpperCase() };
}

interface Kept {
  readonly chosen: readonly Served[];
  readonly document: Hashed;
}

/** Documents by the first resource of theirs. What is served by a CRD is another object after each change of it. */
const kept = new WeakMap<Served, Kept>();

/**
 * The OpenAPI document of a group and version: how types are built and merge, and which parameters a patch takes. Descriptions are those of
 * CRDs; of built-in kinds none are recorded. `undefined` where nothing of it is served.
 */
export function openapiDocument(served: readonly Served[], group: string, version: string): Hashed | undefined {
  const chosen = served.filter(({ type }) => type.group === group && type.version === version);
  const [first] = chosen;
  if (first === undefined) return undefined;
  const known = kept.get(first);
  if (known !== undefined && isSame(known.chosen, chosen)) return known.document;
  const document = hashed(JSON.stringify(documentOf(chosen)));
  kept.set(first, { chosen, document });
  return document;
}

const isSame = (a: readonly Served[], b: readonly Served[]): boolean =>
  a.length === b.length && a.every((each, index) => each === b[index]);

/** The list of OpenAPI documents: one for each group and version. */
export function openapiRoot(served: readonly Served[]): unknown {
  const versions = [...new Map(served.map(({ type }) => [apiVersionOf(type), type])).entries()];
  return {
    paths: Object.fromEntries(
      versions.map(([apiVersion, { group, version }]) => {
        const path = group === '' ? `api/${apiVersion}` : `apis/${apiVersion}`;
        const hash = openapiDocument(served, group, version)?.hash ?? '';
        return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }];
      }),
    ),
  };
}

function documentOf(chosen: readonly Served[]): unknown {
  const components = new Components();
  for (const each of chosen) components.add(each);
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'offline' },
    paths: Object.fromEntries(chosen.map((each) => [pathOf(each), { patch: patchOperation(each) }])),
    components: { schemas: components.schemas },
  };
}

function pathOf({ type }: Served): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${apiVersionOf(type)}`;
  return `${root}${type.scope === 'Namespaced' ? '/namespaces/{namespace}' : ''}/${type.plural}/{name}`;
}

const PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map((name) => ({
  name,
  in: 'query',
  schema: { type: name === 'force' ? 'boolean' : 'string', uniqueItems: true },
}));

function patchOperation({ type: { group, version, kind } }: Served): unknown {
  return {
    operationId: `patch${kind}`,
    parameters: PARAMETERS,
    responses: { 200: { description: 'OK' } },
    'x-kubernetes-action': 'patch',
    'x-kubernetes-group-version-kind': { group, version, kind },
  };
}
