import { Command } from 'commander';
import { ClusterProperty } from '../../about/index.ts';
import type { CustomResourceDefinition } from '../../kube/index.ts';
import { ServiceExport, ServiceImport } from '../../mcs/index.ts';
import { ClusterProfile, KubeFedCluster, RegistryCluster } from '../../registry/index.ts';
import { PlacementDecision, PlacementPolicy, ReplicaSchedulingPreference } from '../../scheduling/index.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { toYaml } from '../output.ts';
import type { Session } from '../session.ts';

type Definition = { readonly kind: string; crd(): CustomResourceDefinition };

/** What is asked for by the name of a part of the package; those of federated types are installed with the types. */
const PARTS: Readonly<Record<string, readonly Definition[]>> = {
  about: [ClusterProperty],
  mcs: [ServiceExport, ServiceImport],
  registry: [RegistryCluster, ClusterProfile, KubeFedCluster],
  scheduling: [PlacementPolicy, ReplicaSchedulingPreference, PlacementDecision],
};
const ALL = Object.values(PARTS).flat();

/** `clusterset crds`: the CRDs of the kinds that other commands read. */
export function crdsCommand(session: Session): Command {
  return new Command('crds')
    .summary('print CRDs of the kinds that other commands read')
    .description(
      'Prints CRDs as YAML, to be applied where they are missing: those of the About API (about), the MCS API (mcs), of registries (registry) and of scheduling, or of single kinds. Without a name, all. No cluster is asked.',
    )
    .argument('[name...]', `${Object.keys(PARTS).join(', ')}, or a kind: ${ALL.map(({ kind }) => kind).join(', ')}`)
    .addHelpText(
      'after',
      `
Examples:
  clusterset crds about mcs | kubectl --context eu-1 apply -f -
  clusterset crds ClusterProfile | kubectl --context hub apply -f -`,
    )
    .action((names: readonly string[]) => {
      const wanted = names.length === 0 ? ALL : [...new Set(names.flatMap(definitionsOf))];
      session.terminal.print(wanted.map((each) => toYaml(each.crd()).trimEnd()).join('\n---\n'));
      session.exit(EXIT.ok);
    });
}

function definitionsOf(name: string): readonly Definition[] {
  const wanted = name.toLowerCase();
  const part = Object.entries(PARTS).find(([each]) => each === wanted)?.[1];
  const found = part ?? ALL.filter(({ kind }) => kind.toLowerCase() === wanted);
  if (found.length > 0) return found;
  const known = [...Object.keys(PARTS), ...ALL.map(({ kind }) => kind)].join(', ');
  throw new CommandFailure([`${name}: there is no CRD of this name; use one of ${known}`]);
}
