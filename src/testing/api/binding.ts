import { type AnyObject, isRecord, type ObjectKey, type Status } from '../../kube/plain/index.ts';
import { timestamp } from '../../runtime/time/index.ts';
import { type Fields, listOf, part, textOf } from '../kinds/kind.ts';
import type { Served } from './catalogue.ts';
import { conflict, notFound } from './failures.ts';
import { decodedPart, done, type PartKind, unreasoned } from './part.ts';
import { type State, stored } from './state.ts';
import type { WriteContext } from './write.ts';

/** API: core/v1 Binding */
const BINDING: PartKind = { group: '', version: 'v1', kind: 'Binding' };
const CREATED = 201;

/** POST of a binding: gives a pod to a node, as a scheduler does. */
export function bind(state: State, served: Served, key: ObjectKey, body: unknown, { dryRun }: WriteContext): Status {
  const binding = decodedPart(body, BINDING, key);
  const target: Fields = isRecord(binding.target) ? binding.target : {};
  const kind = textOf(target, 'kind');
  if (kind !== '' && kind !== 'Node')
    throw unreasoned(`target.kind: Unsupported value: ${JSON.stringify(kind)}: supported values: "Node", "<empty>"`);
  const node = textOf(target, 'name');
  if (node === '') throw unreasoned('target.name: Required value');
  const pod = stored(state, served, key);
  if (pod === undefined) throw notFound(served.type, key.name);
  const refuse = (why: string) => conflict({ ...served.type, plural: 'pods/binding' }, key.name, `pod ${key.name} ${why}`);
  if (pod.metadata.deletionTimestamp !== undefined) throw refuse('is being deleted, cannot be assigned to a host');
  const nodeName = textOf(part(pod, 'spec'), 'nodeName');
  if (nodeName !== '') throw refuse(`is already assigned to node ${JSON.stringify(nodeName)}`);
  if (!dryRun)
    state.storage.put(served.collection, onNode(pod, node, binding.metadata.annotations, timestamp(state.clock.now())));
  return done(CREATED);
}

function onNode(pod: AnyObject, nodeName: string, annotations: AnyObject['metadata']['annotations'], now: string): AnyObject {
  const status = part(pod, 'status');
  const type = 'PodScheduled';
  const scheduled = { type, status: 'True', lastProbeTime: null, lastTransitionTime: now };
  const conditions = [...listOf(status, 'conditions').filter((each) => each.type !== type), scheduled];
  const metadata =
    annotations === undefined ? pod.metadata : { ...pod.metadata, annotations: { ...pod.metadata.annotations, ...annotations } };
  return { ...pod, metadata, spec: { ...part(pod, 'spec'), nodeName }, status: { ...status, conditions } };
}
