import { Command } from 'commander';
import { accessEntry } from '../../client/index.ts';
import { contentHash, isRecord } from '../../kube/index.ts';
import type { ClusterEntry } from '../../registry/index.ts';
import { timestamp } from '../../runtime/index.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { timeoutOption } from '../options.ts';
import { addRegistryOptions, entriesNow, openRegistry, type RegistryOptions, registryArguments } from '../registry-options.ts';
import type { Session } from '../session.ts';

type CredentialOptions = RegistryOptions & { readonly cluster: string; readonly timeout: number };

/** `clusterset credential`: what kubectl runs to be let into a registered cluster. */
export function credentialCommand(session: Session): Command {
  const command = new Command('credential')
    .summary('print credentials for a registered cluster, as kubectl asks for them')
    .description(
      'Prints credentials for one registered cluster as an ExecCredential (client.authentication.k8s.io/v1). The contexts of a managed kubeconfig run it, so that the file holds no secret.',
    )
    .requiredOption('--cluster <name>', 'the cluster');
  return addRegistryOptions(command)
    .addOption(timeoutOption('30s'))
    .addHelpText(
      'after',
      `
Examples:
  clusterset credential --cluster eu-1 --fleet fleet.yaml
  clusterset credential --cluster eu-1 --host host --kind clusterprofile --namespace fleet --providers providers.json`,
    )
    .action(async (options: CredentialOptions) => session.exit(await credential(session, options)));
}

/** Which programs of this kind are waiting for this one: the words of each, so that none waits for itself. */
const WAITING = 'CLUSTERSET_CREDENTIAL_WAITING';
const V1 = 'client.authentication.k8s.io/v1';
const VERSIONS: readonly unknown[] = [V1, 'client.authentication.k8s.io/v1beta1'];

async function credential(session: Session, options: CredentialOptions): Promise<number> {
  const before = process.env[WAITING];
  const waiting = (before ?? '').split(',').filter((each) => each !== '');
  const self = contentHash([options.cluster, ...registryArguments(options)]);
  if (waiting.includes(self)) {
    throw new CommandFailure([
      `cluster ${options.cluster}: its context asks this very command for credentials; name the kubeconfig with the real ones with --kubeconfig, when the managed one is written`,
    ]);
  }
  process.env[WAITING] = [...waiting, self].join(',');
  try {
    return await printCredential(session, options);
  } finally {
    if (before === undefined) delete process.env[WAITING];
    else process.env[WAITING] = before;
  }
}

async function printCredential(session: Session, options: CredentialOptions): Promise<number> {
  const registry = await openRegistry(session, options);
  try {
    const entries = await entriesNow(registry, { timeoutMs: options.timeout, signal: session.signal });
    const entry = entries.find(({ name }) => name === options.cluster);
    if (entry === undefined) throw new CommandFailure([`${registry.called}: there is no cluster "${options.cluster}"`]);
    if (options.host !== undefined) checkOwnWay(entry);
    const provider = await accessEntry(entry, registry.connecting);
    try {
      const { tls, headers, expiresAt } = await provider.current();
      const token = /^Bearer (.+)$/.exec(headers.authorization ?? headers.Authorization ?? '')?.[1];
      const hasPair = tls.cert !== undefined && tls.key !== undefined;
      if (token === undefined && !hasPair) {
        throw new CommandFailure([
          `cluster ${entry.name}: has neither a token nor a client certificate, which is all that kubectl takes`,
        ]);
      }
      const status = {
        ...(token === undefined ? {} : { token }),
        ...(hasPair ? { clientCertificateData: String(tls.cert), clientKeyData: String(tls.key) } : {}),
        ...(expiresAt === undefined ? {} : { expirationTimestamp: timestamp(expiresAt) }),
      };
      session.terminal.print(JSON.stringify({ apiVersion: askedVersion(), kind: 'ExecCredential', status }));
    } finally {
      await provider.close?.();
    }
    return EXIT.ok;
  } finally {
    await registry.close();
  }
}

/**
 * Whoever writes into a registry says where a cluster is, and kubectl sends there what is printed here: so that must not be what the user's own
 * kubeconfig has under the same name for somewhere else.
 */
function checkOwnWay({ name, auth = {} }: ClusterEntry): void {
  const isContext = auth.context !== undefined || auth.kubeconfig !== undefined;
  if (!isContext && (auth.secret !== undefined || auth.accessProviders !== undefined)) return;
  throw new CommandFailure([
    `cluster ${name}: the registry says where it is, and not how to get in; use your own context for it, or register it with a Secret or an access provider`,
  ]);
}

/** The version that kubectl asks for (API: client.authentication.k8s.io, KUBERNETES_EXEC_INFO): it takes no other. */
function askedVersion(): string {
  try {
    const info: unknown = JSON.parse(process.env.KUBERNETES_EXEC_INFO ?? '');
    return isRecord(info) && VERSIONS.includes(info.apiVersion) ? String(info.apiVersion) : V1;
  } catch {
    return V1;
  }
}
