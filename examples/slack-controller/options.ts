/** What the program is told, and what it says when that can't be meant. */
import { parseArgs } from 'node:util';
import { REGISTRY_KINDS, type RegistryKind } from 'clusterset/registry';

const USAGE = `usage: node main.ts [options], with the URL of the webhook in SLACK_URL

  --state FILE        remembers what was said, so that a restart repeats nothing (needed)
  --kubeconfig FILE   where the cluster with the registry is found (default: as kubectl does)
  --context NAME      the context of that cluster (default: the current one)
  --kind KIND         cluster, clusterprofile or kubefedcluster (default: cluster)
  --namespace NAME    one namespace of the registry (default: all of them)
  --probe             ask each cluster how it is, instead of believing the registry's conditions
  --slack-url URL     the webhook, in the place of SLACK_URL; others on this machine can see it`;

export interface Options {
  readonly url: string;
  readonly state: string;
  readonly probe: boolean;
  readonly where: { readonly context?: string; readonly kubeconfig?: string };
  readonly registry: { readonly kind: RegistryKind; readonly namespace?: string };
}

/** Something to say, and to end with. */
export interface Ending {
  readonly text: string;
  readonly exitCode: 0 | 2;
}

/** Reads arguments. What is wrong with them is said without quoting the webhook, wherever it was put. */
export function readOptions(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Options | Ending {
  const read = parsed(args);
  if ('problem' in read) return refusal(read.problem);
  const { values } = read;
  if (values.help) return { text: USAGE, exitCode: 0 };
  const url = values['slack-url'] ?? env.SLACK_URL ?? '';
  const kind = new Map<string, RegistryKind>(Object.entries(REGISTRY_KINDS)).get(values.kind);
  if (url === '') return refusal('SLACK_URL is not set');
  if (values.state === undefined) return refusal('--state is missing');
  if (kind === undefined) return refusal(`--kind is none of ${Object.keys(REGISTRY_KINDS).join(', ')}`);
  const { context, kubeconfig, namespace } = values;
  return {
    url,
    state: values.state,
    probe: values.probe,
    where: { ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) },
    registry: { kind, ...(namespace === undefined ? {} : { namespace }) },
  };
}

function refusal(problem: string): Ending {
  return { text: `error: ${problem}\n\n${USAGE}`, exitCode: 2 };
}

function parsed(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        state: { type: 'string' },
        kubeconfig: { type: 'string' },
        context: { type: 'string' },
        kind: { type: 'string', default: 'cluster' },
        namespace: { type: 'string' },
        probe: { type: 'boolean', default: false },
        'slack-url': { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    return positionals.length > 0 ? { problem: 'there are only options, and each begins with --' } : { values };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { problem: message.replace(/\S*:\/\/\S*/g, '…') };
  }
}
