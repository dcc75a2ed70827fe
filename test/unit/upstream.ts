import type { CustomResourceDefinition } from 'clusterset/kube';
import recorded from '../fixtures/upstream-crds.json' with { type: 'json' };

type Tree = Readonly<Record<string, unknown>>;

/** What upstream's CRD of a resource says, descriptions aside: recorded by scripts/record-upstream-crds.ts. */
export function upstreamSpec(name: string): unknown {
  const all: Readonly<Record<string, { readonly spec: Tree } | undefined>> = recorded;
  const found = all[name];
  if (found === undefined) throw new Error(`no CRD ${name} was recorded`);
  return comparable(found.spec);
}

/** The same of one of ours. */
export function ourSpec(crd: CustomResourceDefinition): unknown {
  return comparable(crd.spec);
}

/** Without descriptions, and with lists that are sets in order. */
function comparable(value: unknown, inProperties = false): unknown {
  if (Array.isArray(value)) return value.map((item) => comparable(item));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(
    ([name, each]) => inProperties || name !== 'description' || typeof each !== 'string',
  );
  return Object.fromEntries(
    entries.map(([name, each]) => {
      const isSet = name === 'required' && Array.isArray(each);
      return [name, isSet ? each.toSorted() : comparable(each, name === 'properties' && !inProperties)];
    }),
  );
}
