import { Command } from 'commander';
import { accessEntry } from '../../client/index.ts';
import { timestamp } from '../../runtime/index.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { timeoutOption } from '../options.ts';
import { addRegistryOptions, entriesNow, openRegistry, type RegistryOptions } from '../registry-options.ts';
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

async function credential(session: Session, options: CredentialOptions): Promise<number> {
  const registry = await openRegistry(session, options);
  try {
    const entries = await entriesNow(registry, { timeoutMs: options.timeout, signal: session.signal });
    const entry = entries.find(({ name }) => name === options.cluster);
    if (entry === undefined) throw new CommandFailure([`${registry.called}: there is no cluster "${options.cluster}"`]);
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
      session.terminal.print(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status }));
    } finally {
      await provider.close?.();
    }
    return EXIT.ok;
  } finally {
    await registry.close();
  }
}
