import { ClusterProperty } from 'clusterset/about';
import { ServiceExport, ServiceImport } from 'clusterset/mcs';
import { ClusterProfile, KubeFedCluster, RegistryCluster } from 'clusterset/registry';
import { PlacementDecision, PlacementPolicy, ReplicaSchedulingPreference } from 'clusterset/scheduling';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { run } from './run.ts';

const scheduling = [PlacementPolicy, ReplicaSchedulingPreference, PlacementDecision];
const every = [ClusterProperty, ServiceExport, ServiceImport, RegistryCluster, ClusterProfile, KubeFedCluster, ...scheduling];

async function printed(...names: readonly string[]): Promise<readonly unknown[]> {
  const { code, stdout, stderr } = await run(['crds', ...names]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return parseAllDocuments(stdout).map((document) => document.toJSON() as unknown);
}

describe('crds', () => {
  it.each([
    ['all of them', [], every],
    ['those of a part', ['mcs'], [ServiceExport, ServiceImport]],
    ['those of scheduling', ['scheduling'], scheduling],
    ['that of a kind, in any case', ['clusterprofile'], [ClusterProfile]],
    ['each once', ['registry', 'Cluster', 'about'], [RegistryCluster, ClusterProfile, KubeFedCluster, ClusterProperty]],
  ] as const)('prints %s', async (_, names, types) => {
    expect(await printed(...names)).toEqual(types.map((type) => type.crd()));
  });

  it('says which there are where it has none of a name', async () => {
    const { code, stdout, stderr } = await run(['crds', 'mcs', 'toString']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      'error: toString: there is no CRD of this name; use one of about, mcs, registry, scheduling, ClusterProperty, ServiceExport, ServiceImport, Cluster, ClusterProfile, KubeFedCluster, PlacementPolicy, ReplicaSchedulingPreference, PlacementDecision',
    );
  });
});
