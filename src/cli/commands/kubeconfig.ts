import { accessSync, constants, realpathSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { Command } from 'commander';
import { type ClusterEntry, mergeKubeconfig } from '../../registry/index.ts';
import { sleep, systemClock } from '../../runtime/index.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { changeKubeconfig } from '../kubeconfig-file.ts';
import { timeoutOption } from '../options.ts';
import { count, type Format, outputOption, show } from '../output.ts';
import { addRegistryOptions, entriesNow, openRegistry, type RegistryOptions, registryArguments } from '../registry-options.ts';
import type { Session } from '../session.ts';

type KubeconfigOptions = RegistryOptions & {
  readonly to: string;
  readonly owner: string;
  readonly watch?: boolean;
  readonly timeout: number;
  readonly output: Format;
};

/** `clusterset kubeconfig`: a kubeconfig with a context for each registered cluster. */
export function kubeconfigCommand(session: Session): Command {
  const command = new Command('kubeconfig')
    .summary('write a kubeconfig with a context for each registered cluster')
    .description(
      'Writes a kubeconfig with a context for each registered cluster, and takes contexts out again when clusters have gone. What others have written into the file stays. It holds no secrets: kubectl asks "clusterset credential" for them.',
    )
    .requiredOption('--to <file>', 'the kubeconfig to write; what is in there stays')
    .option('--watch', 'go on until Ctrl-C, and write again as clusters come and go')
    .option('--owner <name>', 'marks the contexts as ours: two writers of one file need two names', 'clusterset');
  return addRegistryOptions(command)
    .addOption(timeoutOption('30s'))
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  clusterset kubeconfig --to fleet.kubeconfig --fleet fleet.yaml
  clusterset kubeconfig --to fleet.kubeconfig --host host --kind clusterprofile --namespace fleet --watch
  kubectl --kubeconfig fleet.kubeconfig --context eu-1 get pods`,
    )
    .action(async (options: KubeconfigOptions) => session.exit(await kubeconfig(session, options)));
}

async function kubeconfig(session: Session, options: KubeconfigOptions): Promise<number> {
  const registry = await openRegistry(session, options);
  try {
    if (options.watch !== true) {
      const report = await merge(
        session,
        options,
        await entriesNow(registry, { timeoutMs: options.timeout, signal: session.signal }),
      );
      show(session.terminal, options.output, report, () => reportText(report));
      return report.problems.length === 0 ? EXIT.ok : EXIT.failed;
    }
    session.terminal.say(`${registry.called}: writing ${options.to} as clusters come and go; Ctrl-C ends it`);
    for await (const entries of registry.source.watch(session.signal)) {
      const report = await mergeInTheEnd(session, options, entries);
      const isQuiet = report.added.length + report.changed.length + report.removed.length === 0;
      if (!isQuiet) show(session.terminal, options.output, report, () => reportText(report));
    }
    return EXIT.ok;
  } finally {
    await registry.close();
  }
}

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;

/** A file that can't be written just now is no reason to end: it is tried again. */
async function mergeInTheEnd(session: Session, options: KubeconfigOptions, entries: readonly ClusterEntry[]): Promise<Report> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await merge(session, options, entries);
    } catch (error) {
      if (session.signal.aborted || !(error instanceof CommandFailure)) throw error;
      for (const line of error.lines) session.terminal.complain(line);
      await sleep(systemClock, Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures), session.signal);
    }
  }
}

interface Report {
  readonly file: string;
  readonly contexts: number;
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly problems: readonly string[];
}

async function merge(session: Session, options: KubeconfigOptions, entries: readonly ClusterEntry[]): Promise<Report> {
  const program = ownProgram();
  const words = registryArguments(options);
  const result = await changeKubeconfig(
    options.to,
    (file) =>
      mergeKubeconfig(file, entries, {
        owner: options.owner,
        credential: (cluster) => ({
          command: program.command,
          args: [...program.args, 'credential', '--cluster', cluster, ...words],
        }),
      }),
    session.signal,
  );
  const problems = result.issues.map(
    ({ field, message, mend }) => `${field}: ${message}${mend === undefined ? '' : `; ${mend}`}`,
  );
  for (const problem of problems) session.terminal.complain(problem);
  const { added, changed, removed } = result;
  return { file: options.to, contexts: entries.length - problems.length, added, changed, removed, problems };
}

function reportText({ file, contexts, added, changed, removed }: Report): string {
  const parts = [
    added.length === 0 ? '' : `added ${added.join(', ')}`,
    changed.length === 0 ? '' : `changed ${changed.join(', ')}`,
    removed.length === 0 ? '' : `removed ${removed.join(', ')}`,
  ].filter((part) => part !== '');
  return `${file}: ${count(contexts, 'context')}${parts.length === 0 ? ', nothing to change' : `; ${parts.join('; ')}`}`;
}

/** How this very program is run from anywhere: by its name where that leads here, else by its path. */
function ownProgram(): { readonly command: string; readonly args: readonly string[] } {
  const script = realpathSync(resolve(process.argv[1] ?? ''));
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'clusterset'))
    .find(isProgram);
  if (found !== undefined && realpathSync(found) === script) return { command: 'clusterset', args: [] };
  return { command: process.execPath, args: [script] };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
