import { type FederatedObject, prepare, readStatus, recordedClusters } from 'clusterset/federation';
import { type AnyObject, type Cluster, deepEqual, type ResourceType } from 'clusterset/kube';
import { CONFIG_MAPS } from './arrivals.ts';
import { MEMBERS, NAMESPACE, TAKEN, TYPES } from './federated.ts';
import { FEDERATED, FEDERATED_NAMESPACE, type Fleet, NAMESPACES } from './fleet.ts';
import { federatedConfigMap, type Wish } from './waves.ts';

/** Everything that the controller writes, on the host and in members, read from etcd and not from a cache. */
export interface Picture {
  readonly host: readonly AnyObject[];
  readonly members: ReadonlyMap<string, readonly AnyObject[]>;
  /** The namespace that all of it is in: as it is federated, and as it is in the members. */
  readonly namespaces: readonly AnyObject[];
}

export async function takePicture({ host, members }: Fleet): Promise<Picture> {
  const inNamespace = async (cluster: Cluster, type: ResourceType<AnyObject>): Promise<readonly AnyObject[]> =>
    (await cluster.list<AnyObject>(type, { namespace: NAMESPACE })).items;
  const [federated, namespaces, theirNamespaces, ...theirs] = await Promise.all([
    inNamespace(host, FEDERATED),
    inNamespace(host, FEDERATED_NAMESPACE),
    Promise.all(members.map((member) => member.get(NAMESPACES, { name: NAMESPACE }))),
    ...members.map((member) => inNamespace(member, CONFIG_MAPS)),
  ]);
  return {
    host: federated,
    members: new Map(members.map(({ name }, index) => [name, theirs[index] ?? []])),
    namespaces: [...namespaces, ...theirNamespaces.filter((each) => each !== undefined)],
  };
}

/** The version of every object: where they are the same, nothing was written. */
export function versionsOf({ host, members, namespaces }: Picture): readonly string[] {
  const version = ({ kind, metadata }: AnyObject): string =>
    `${kind} ${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`;
  return [...host, ...[...members.values()].flat(), ...namespaces].map(version);
}

/** What is not as it was wished for, in words. */
export function differences(
  picture: Picture,
  wishes: ReadonlyMap<string, Wish>,
  foreign: readonly AnyObject[],
): readonly string[] {
  const taken = TAKEN.map((name): Wish => ({ name, value: 'ours', clusters: MEMBERS }));
  const all = new Map([...wishes.values(), ...taken].map((wish) => [wish.name, wish]));
  return [
    ...aboutNamespace(picture),
    ...onHost(picture, all),
    ...MEMBERS.flatMap((member) => inMember(picture, member, all, foreign)),
  ];
}

/** It is there in every member, and its status says so. */
function aboutNamespace({ namespaces }: Picture): readonly string[] {
  const said = namespaces.map((object) => (object.kind === 'Namespace' ? 'there' : saidOf(object)));
  const wanted = [statusWanted({ name: NAMESPACE, value: '', clusters: MEMBERS }), ...MEMBERS.map(() => 'there')];
  return deepEqual(said, wanted) ? [] : [`the namespace: ${said.join('; ')}`];
}

function onHost({ host }: Picture, wishes: ReadonlyMap<string, Wish>): readonly string[] {
  const found = new Map(host.map((object) => [object.metadata.name, object]));
  const leftOver = [...found.keys()].filter((name) => !wishes.has(name)).map((name) => `host: ${name} is still there`);
  const wrong = [...wishes.values()].flatMap((wish) => {
    const object = found.get(wish.name);
    if (object === undefined) return [`host: ${wish.name} is lost`];
    if (!deepEqual(object.spec, federatedConfigMap(wish).spec)) return [`host: ${wish.name} has lost a change`];
    const said = saidOf(object);
    const wanted = statusWanted(wish);
    return said === wanted ? [] : [`host: the status of ${wish.name} says ${said} and not ${wanted}`];
  });
  return [...leftOver, ...wrong];
}

/** The status in short: of which version, what is in the way where, and where the record says that something may be. */
function saidOf(object: AnyObject): string {
  const status = readStatus(object.status);
  const isCurrent = status?.observedGeneration === object.metadata.generation;
  const propagation = status?.conditions?.find(({ type }) => type === 'Propagation')?.status;
  const clusters = (status?.clusters ?? []).map(({ name, status: trouble = 'ok' }) => `${name} ${trouble}`);
  const record = [...recordedClusters(object as unknown as FederatedObject)].toSorted();
  return `${isCurrent ? 'newest' : 'older'}, ${propagation}, ${clusters.join(', ')}, recorded ${record.join(', ')}`;
}

function statusWanted({ name, clusters }: Wish): string {
  const isTaken = (TAKEN as readonly string[]).includes(name);
  const wanted = clusters.map((cluster) => `${cluster} ${isTaken && cluster === MEMBERS[0] ? 'AlreadyExists' : 'ok'}`);
  return `newest, ${isTaken ? 'False' : 'True'}, ${wanted.join(', ')}, recorded ${clusters.join(', ')}`;
}

function inMember(
  { host, members }: Picture,
  member: string,
  wishes: ReadonlyMap<string, Wish>,
  foreign: readonly AnyObject[],
): readonly string[] {
  const found = new Map((members.get(member) ?? []).map((object) => [object.metadata.name, object]));
  const theirs = member === MEMBERS[0] ? foreign : [];
  const touched = theirs.filter((object) => !isSame(found.get(object.metadata.name), object));
  for (const { metadata } of theirs) found.delete(metadata.name);
  const isTheirs = (name: string): boolean => theirs.some(({ metadata }) => metadata.name === name);
  const wanted = new Map(
    host
      .filter(({ metadata: { name } }) => wishes.get(name)?.clusters.includes(member) && !isTheirs(name))
      .map((object) => [object.metadata.name, prepare(object, { types: TYPES }).renderFor({ name: member })]),
  );
  return [
    ...touched.map(({ metadata: { name } }) => `${member}: somebody else's ${name} was touched`),
    ...[...found.keys()].filter((name) => !wanted.has(name)).map((name) => `${member}: ${name} is left over`),
    ...[...wanted].flatMap(([name, object]) => {
      const live = found.get(name);
      if (live === undefined) return [`${member}: ${name} is missing`];
      return deepEqual(withoutServersFields(live), object) ? [] : [`${member}: ${name} is not what is rendered`];
    }),
  ];
}

/** An object of somebody else is the very same: not even written as it was. */
function isSame(found: AnyObject | undefined, object: AnyObject): boolean {
  return found !== undefined && deepEqual(found.metadata, object.metadata) && deepEqual(found.data, object.data);
}

/** What a server adds to every object is no part of what is rendered. */
function withoutServersFields({ metadata, ...rest }: AnyObject): AnyObject {
  const { uid: _u, resourceVersion: _r, creationTimestamp: _c, managedFields: _m, ...ours } = metadata;
  return { ...rest, metadata: ours };
}
