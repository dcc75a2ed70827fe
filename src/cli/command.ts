import { Command, CommanderError } from 'commander';
import { aboutCommand } from './commands/about.ts';
import { applyCommand } from './commands/apply.ts';
import { controllerCommand } from './commands/controller.ts';
import { crdsCommand } from './commands/crds.ts';
import { credentialCommand } from './commands/credential.ts';
import { deleteCommand } from './commands/delete.ts';
import { demoCommand } from './commands/demo.ts';
import { devCommand } from './commands/dev.ts';
import { kubeconfigCommand } from './commands/kubeconfig.ts';
import { planCommand } from './commands/plan.ts';
import { resolveCommand } from './commands/resolve.ts';
import { scheduleCommand } from './commands/schedule.ts';
import { servicesCommand } from './commands/services.ts';
import { snapshotCommand } from './commands/snapshot.ts';
import { statusCommand } from './commands/status.ts';
import { EXIT, INTERRUPTED, linesOf } from './failure.ts';
import { packageVersion } from './package.ts';
import type { Session } from './session.ts';
import type { Terminal } from './terminal.ts';

/** Runs one command line. Returns what the process should end with. */
export async function runCommand(
  args: readonly string[],
  { terminal, signal }: { readonly terminal: Terminal; readonly signal: AbortSignal },
): Promise<number> {
  let code: number = EXIT.ok;
  const session: Session = {
    terminal,
    signal,
    exit: (with_) => {
      code = with_;
    },
  };
  try {
    await program(session).parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    terminal.endProgress();
    if (signal.aborted) return INTERRUPTED;
    for (const line of linesOf(error)) terminal.complain(line);
    return EXIT.failed;
  }
}

function program(session: Session): Command {
  const { terminal } = session;
  const root = new Command('clusterset')
    .description('Federates Kubernetes objects over several clusters: what goes where, what differs there, and how it is doing.')
    .version(packageVersion(), '-V, --version', 'show the version')
    .helpCommand(false)
    .addHelpText('after', '\nEvery command has its own help, with examples: clusterset plan --help');
  for (const command of [
    demoCommand(session),
    devCommand(session),
    planCommand(session),
    applyCommand(session),
    statusCommand(session),
    deleteCommand(session),
    controllerCommand(session),
    aboutCommand(session),
    servicesCommand(session),
    resolveCommand(session),
    scheduleCommand(session),
    snapshotCommand(session),
    crdsCommand(session),
    kubeconfigCommand(session),
    credentialCommand(session),
  ]) {
    root.addCommand(command);
  }
  for (const command of [root, ...root.commands]) {
    command
      .helpOption('-h, --help', 'show help')
      .exitOverride()
      .configureOutput({
        writeOut: (text) => terminal.print(text.trimEnd()),
        writeErr: (text) => terminal.say(text.trimEnd()),
        outputError: (text) => terminal.complain(text.replace(/^error: /, '').trimEnd()),
      })
      .showSuggestionAfterError()
      .allowExcessArguments(false);
  }
  return root;
}
