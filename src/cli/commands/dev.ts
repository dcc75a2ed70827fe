import { Command } from 'commander';
import { EXIT } from '../failure.ts';
import { HOST, startOffline } from '../offline.ts';
import { wholeNumber } from '../options.ts';
import { type Format, outputOption, shellWord, show, table } from '../output.ts';
import type { Session } from '../session.ts';
import { aborted } from '../wait.ts';

interface DevOptions {
  readonly members: number;
  readonly host: boolean;
  readonly nodes?: number;
  readonly port?: number;
  readonly writeKubeconfig?: string;
  readonly output: Format;
}

/** `clusterset dev`: serves offline clusters until Ctrl-C. */
export function devCommand(session: Session): Command {
  const command = new Command('dev')
    .summary('serve offline clusters on this machine until Ctrl-C')
    .description(
      "Serves offline clusters on loopback, and writes a kubeconfig with a context for each: a host and as many members as you like. They answer to kubectl and to any other client. With --nodes they run Deployments, StatefulSets, DaemonSets and Jobs, as far as pods go. Everything is in memory and gone when they stop; what they don't simulate is answered with 501.",
    )
    .option('-n, --members <number>', 'how many member clusters', wholeNumber(1, 100), 3)
    .option('--nodes <number>', 'how many nodes each member has, so that workloads run there', wholeNumber(1, 100))
    .option('--no-host', 'without a host cluster')
    .option('--port <port>', 'port of the first cluster; the others get the next ones', wholeNumber(1, 65_000))
    .option('--write-kubeconfig <file>', 'where to write the kubeconfig; default: a temporary file')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  clusterset dev
  clusterset dev --members 5 --nodes 3 --write-kubeconfig ./dev.kubeconfig`,
    )
    .action(async (options: DevOptions) => session.exit(await dev(session, options)));
  return command;
}

async function dev({ terminal, signal }: Session, options: DevOptions): Promise<number> {
  const members = Array.from({ length: options.members }, (_, index) => `member-${index + 1}`);
  const names = [...(options.host ? [HOST] : []), ...members];
  await using world = await startOffline(names, {
    ...(options.writeKubeconfig === undefined ? {} : { kubeconfig: options.writeKubeconfig }),
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.nodes === undefined ? {} : { nodes: options.nodes }),
  });
  const { kubeconfig, clusters } = world;
  show(terminal, options.output, { kubeconfig, clusters }, () =>
    [
      table([['CONTEXT', 'SERVER'], ...clusters.map(({ name, server }) => [name, server])]),
      '',
      `export KUBECONFIG=${shellWord(kubeconfig)}`,
    ].join('\n'),
  );
  terminal.say(
    `\nTry it: kubectl --kubeconfig ${shellWord(kubeconfig)} --context ${names[0] ?? ''} get namespaces\nCtrl-C ends the clusters.`,
  );
  await aborted(signal);
  terminal.say('stopped');
  return EXIT.ok;
}
