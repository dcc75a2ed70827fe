import { Command } from 'commander';
import type { FleetMember } from '../../controllers/propagation/index.ts';
import { type Prepared, prepare } from '../../federation/index.ts';
import { type Cluster, formatReference, isSameResource, keyOf } from '../../kube/index.ts';
import { ReplicaSchedulingPreference } from '../../scheduling/index.ts';
import { converge } from '../converge.ts';
import { EXIT } from '../failure.ts';
import { type HostObject, hostObjectsOf, readHost, runPropagation, typesOnHost } from '../host.ts';
import { closeAll, type Federation, FIELD_MANAGER, hostOf, membersOf, readFederation } from '../inputs.ts';
import {
  addClusterOptions,
  addFileOptions,
  addHostOption,
  type ClusterOptions,
  type FileOptions,
  timeoutOption,
} from '../options.ts';
import { count } from '../output.ts';
import type { Session } from '../session.ts';
import { until } from '../wait.ts';
import { stepText } from './apply.ts';

type DeleteOptions = FileOptions & ClusterOptions & { readonly timeout: number };

/** `clusterset delete`: takes federated objects out of the clusters again. */
export function deleteCommand(session: Session): Command {
  const command = new Command('delete')
    .summary('take federated objects out of the clusters again')
    .description(
      "Deletes the federated objects of the files, and waits until no member has anything of theirs. With --host they are deleted there, and the members follow; without it the members are cleaned directly. Objects that something else has made are left alone, and so are the host's own Namespaces and CRDs.",
    );
  addHostOption(addClusterOptions(addFileOptions(command)))
    .addOption(timeoutOption('5m'))
    .addHelpText(
      'after',
      `
Exit codes:
  0  no member has anything of the objects
  1  something is left: standard error says what, and why

Examples:
  clusterset delete -f app/ --host host --contexts eu-1,eu-2,us-1
  clusterset delete -f app/ --contexts eu-1,eu-2,us-1`,
    )
    .action(async (options: DeleteOptions) => session.exit(await remove(session, options)));
  return command;
}

async function remove(session: Session, options: DeleteOptions): Promise<number> {
  const federation = await readFederation(options.filename, options.replaceMissing, session.signal);
  const members = await membersOf(options, true);
  const host = options.host === undefined ? undefined : await hostOf(options);
  try {
    const left =
      host === undefined
        ? await removeFromMembers(session, federation, members, options)
        : await removeFromHost(session, federation, members, host, options);
    const problems = [...federation.problems, ...left];
    for (const problem of problems) session.terminal.complain(problem);
    return problems.length === 0 ? EXIT.ok : EXIT.failed;
  } finally {
    await closeAll([host, ...members.map(({ cluster }) => cluster)]);
  }
}

/** Plans for the objects as if they were deleted on a host: that takes away what is theirs. Returns what could not be taken away. */
async function removeFromMembers(
  { terminal, signal }: Session,
  { objects, types }: Federation,
  members: readonly FleetMember[],
  options: DeleteOptions,
): Promise<readonly string[]> {
  const deleted = objects.map(({ manifest }): Prepared => {
    const metadata = { ...manifest.object.metadata, deletionTimestamp: '1970-01-01T00:00:00Z' };
    return prepare({ ...manifest.object, metadata }, { types, fieldManager: FIELD_MANAGER });
  });
  const { report, inTime } = await converge({
    members,
    objects: deleted,
    preferences: [],
    reversed: true,
    timeoutMs: options.timeout,
    signal,
    onStep: (result) => {
      if (result.error === undefined && result.step.op !== 'blocked') terminal.say(stepText(result));
    },
    onWait: (waiting) => terminal.progress(`waiting for ${count(waiting.length, 'object')} to be gone`),
  });
  terminal.endProgress();
  const held = report.states.filter(({ status }) => status !== undefined);
  return [
    ...held.map(
      ({ cluster, object, status, message }) =>
        `${cluster}: ${formatReference(object)}: ${status ?? ''}${message === undefined ? '' : `: ${message}`}`,
    ),
    ...(inTime ? [] : ['the time is up: not everything is gone (--timeout)']),
  ];
}

async function removeFromHost(
  { terminal, signal }: Session,
  federation: Federation,
  members: readonly FleetMember[],
  host: Cluster,
  options: DeleteOptions,
): Promise<readonly string[]> {
  const types = await typesOnHost(host, signal);
  await using _running = await runPropagation({ host, members, types });
  const objects = hostObjectsOf(federation).filter(({ type }) =>
    types.some(({ federated }) => isSameResource(federated, type.federated)),
  );
  // What others live in goes last.
  const isGround = ({ type }: HostObject): boolean => ['Namespace', 'CustomResourceDefinition'].includes(type.target.kind);
  for (const group of [objects.filter((object) => !isGround(object)), objects.filter(isGround)]) {
    const left = await deleteGroup({ terminal, signal }, host, group, options.timeout);
    if (left.length > 0) return left;
  }
  for (const { preference } of federation.preferences) {
    await host.delete(ReplicaSchedulingPreference, keyOf(preference), { signal });
  }
  return [];
}

/** Deletes objects on the host, and waits until the controller has let them go. Returns what is still there when the time is up. */
async function deleteGroup(
  { terminal, signal }: Pick<Session, 'terminal' | 'signal'>,
  host: Cluster,
  objects: readonly HostObject[],
  timeoutMs: number,
): Promise<readonly string[]> {
  for (const { type, key } of objects) {
    const outcome = await host.delete(type.federated, key, { signal });
    if (outcome !== 'absent') terminal.say(`${host.name}: ${formatReference({ kind: type.federated.kind, ...key })} deleted`);
  }
  let found = await readHost(host, objects, signal);
  await until(
    async () => {
      found = await readHost(host, objects, signal);
      if (found.present.length === 0) return true;
      terminal.progress(`waiting for ${count(found.present.length, 'object')} to be gone from the members`);
      return undefined;
    },
    { timeoutMs, signal },
  );
  terminal.endProgress();
  return found.present.map(({ type, key }) => {
    const held = found.states.filter(
      ({ object, status }) => object.name === key.name && object.kind === type.target.kind && status !== undefined,
    );
    const why = held
      .map(({ cluster, status, message }) => `${cluster}: ${status}${message === undefined ? '' : `: ${message}`}`)
      .join('; ');
    return `${formatReference({ kind: type.federated.kind, ...key })} is still there${why === '' ? '' : ` (${why})`}`;
  });
}
