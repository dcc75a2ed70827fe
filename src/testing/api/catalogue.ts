import {
  type CustomResourceDefinition,
  type PrinterColumn,
  qualifiedPlural,
  type ResourceType,
  type Scope,
  type StructuralSchema,
} from '../../kube/plain/index.ts';
import { type View, viewOf } from '../kinds/views.ts';
import { builtInKinds } from '../schema/built-in.ts';
import type { CelEvaluator } from '../schema/cel.ts';
import { customSchema } from '../schema/custom.ts';
import { compileRules, type RuleTree } from '../schema/rules.ts';
import type { ScalePaths } from '../schema/scale-paths.ts';
import { ANY, type StructSchema } from '../schema/schema.ts';

/** One resource in one version, as the cluster serves it. */
export interface Served {
  readonly type: ResourceType;
  /** `deployments.apps` */
  readonly resource: string;
  /** Where its objects are kept: those of all versions together, which is the resource, and those of a view with those that it is a view of. */
  readonly collection: string;
  /** How its objects are stored, where they are stored as those of another type. */
  readonly view?: View;
  readonly singular: string;
  readonly schema: StructSchema;
  readonly subresources: ReadonlySet<string>;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Whether `metadata.generation` counts changes of the spec. */
  readonly hasGeneration: boolean;
  /** What a CRD says beside the structure; absent for built-in kinds. */
  readonly custom?: {
    readonly schema: StructuralSchema;
    /** The schema's rules, where somebody understands them. */
    readonly rules: () => RuleTree | undefined;
    readonly columns: readonly PrinterColumn[];
    readonly storageVersion: string;
    readonly listKind: string;
    readonly scale: ScalePaths | undefined;
  };
}

/** Built-in kinds whose objects have a generation. */
const WITH_GENERATION: ReadonlySet<string> = new Set([
  'deployments.apps',
  'replicasets.apps',
  'statefulsets.apps',
  'daemonsets.apps',
  'jobs.batch',
  'cronjobs.batch',
  'ingresses.networking.k8s.io',
  'networkpolicies.networking.k8s.io',
  'poddisruptionbudgets.policy',
  'customresourcedefinitions.apiextensions.k8s.io',
  'endpointslices.discovery.k8s.io',
  'pods',
]);

const BUILT_IN: readonly Served[] = builtInKinds().map(({ type, schema, shortNames, categories, subresources }) => {
  const resource = qualifiedPlural(type);
  const view = viewOf(type);
  return {
    type,
    resource,
    collection: view === undefined ? resource : qualifiedPlural(view.of),
    ...(view === undefined ? {} : { view }),
    singular: type.kind.toLowerCase(),
    schema,
    subresources: new Set(subresources),
    shortNames,
    categories,
    hasGeneration: WITH_GENERATION.has(resource),
  };
});

const metadataSchema = BUILT_IN.find(({ type }) => type.kind === 'ConfigMap')?.schema.field('metadata') ?? ANY;

/** What a cluster serves: the built-in kinds, and whatever CRDs add. */
export class Catalogue {
  readonly #served = new Map<string, Served>();
  readonly #custom = new Map<string, readonly Served[]>();

  readonly #cel: CelEvaluator | undefined;

  constructor(cel?: CelEvaluator) {
    this.#cel = cel;
    for (const served of BUILT_IN) this.#served.set(addressOf(served.type), served);
  }

  find(group: string, version: string, plural: string): Served | undefined {
    return this.#served.get(`${group}/${version}/${plural}`);
  }

  /** Any version of the resource that a collection is kept as. */
  collection(name: string): Served | undefined {
    return this.all().find(({ resource }) => resource === name);
  }

  /** The resources that show what is kept in a collection. */
  resourcesOf(name: string): readonly string[] {
    const shown = this.all().filter(({ collection, view }) => view !== undefined && collection === name);
    return [name, ...shown.map(({ resource }) => resource)];
  }

  all(): readonly Served[] {
    return [...this.#served.values()];
  }

  /** Serves what a CRD defines, in place of what the CRD of that name defined before. */
  define(crd: CustomResourceDefinition): void {
    this.forget(crd.metadata.name);
    const served = servedBy(crd, this.#cel);
    this.#custom.set(crd.metadata.name, served);
    for (const each of served) this.#served.set(addressOf(each.type), each);
  }

  forget(crdName: string): void {
    for (const each of this.#custom.get(crdName) ?? []) this.#served.delete(addressOf(each.type));
    this.#custom.delete(crdName);
  }
}

const addressOf = ({ group, version, plural }: ResourceType): string => `${group}/${version}/${plural}`;

/** Rules are made ready when they are first asked for. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function servedBy(crd: CustomResourceDefinition, cel: CelEvaluator | undefined): readonly Served[] {
  const { group, scope, names, versions } = crd.spec;
  const storageVersion = versions.find(({ storage }) => storage)?.name ?? '';
  return versions
    .filter(({ served }) => served)
    .map((version) => {
      const schema = version.schema?.openAPIV3Schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
      const type: ResourceType = { group, version: version.name, kind: names.kind, plural: names.plural, scope: scope as Scope };
      return {
        type,
        resource: qualifiedPlural(type),
        collection: qualifiedPlural(type),
        singular: names.singular ?? names.kind.toLowerCase(),
        schema: customSchema(schema, metadataSchema),
        subresources: new Set(Object.keys(version.subresources ?? {})),
        shortNames: names.shortNames ?? [],
        categories: names.categories ?? [],
        hasGeneration: true,
        custom: {
          schema,
          rules: once(() => (cel === undefined ? undefined : compileRules(schema, cel))),
          columns: version.additionalPrinterColumns ?? [],
          storageVersion,
          listKind: names.listKind || `${names.kind}List`,
          scale: (version.subresources as { readonly scale?: ScalePaths } | undefined)?.scale,
        },
      };
    });
}
