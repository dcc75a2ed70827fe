import { type Command, InvalidArgumentError, Option } from 'commander';
import { milliseconds } from '../runtime/index.ts';

/** Options that say what is federated. */
export interface FileOptions {
  readonly filename: readonly string[];
  readonly replaceMissing: 'error' | 'add';
}

/** Options that say where clusters are. */
export interface ClusterOptions {
  readonly contexts?: readonly string[];
  readonly fleet?: string;
  readonly host?: string;
  readonly kubeconfig?: string;
  readonly allowUnknownClusters?: boolean;
}

/** `-f`, of commands that read federated objects. */
export function addFileOptions(command: Command): Command {
  return command
    .requiredOption('-f, --filename <file...>', 'YAML or JSON files, or folders of them; - is standard input')
    .addOption(replaceMissingOption());
}

export function replaceMissingOption(): Option {
  return new Option('--replace-missing <how>', 'what an override does that replaces a field which is not there')
    .choices(['error', 'add'])
    .default('error');
}

/** Options of all commands that talk to clusters. */
export function addClusterOptions(command: Command): Command {
  return command
    .option('--contexts <names>', 'members: contexts of the kubeconfig, with commas in between', names)
    .option('--fleet <file>', 'members: a YAML list of clusters with their names, labels and contexts')
    .option('--kubeconfig <file>', 'default: $KUBECONFIG, or ~/.kube/config');
}

export function addHostOption(command: Command): Command {
  return command.option('--host <context>', 'context of the cluster that holds the federated objects');
}

export function addUnknownClustersOption(command: Command): Command {
  return command.option('--allow-unknown-clusters', 'go on where an object names clusters that are not members');
}

/** `--probe-interval`, in milliseconds. */
export function probeIntervalOption(): Option {
  return new Option(
    '--probe-interval <duration>',
    'with --host: how often members are asked how they are; the third bad answer counts',
  )
    .argParser(probeInterval)
    .default(10_000, '10s');
}

/** `--timeout`, in milliseconds. */
export function timeoutOption(fallback: string): Option {
  return new Option('--timeout <duration>', 'how long to wait, as in 90s or 5m')
    .argParser(duration)
    .default(milliseconds(fallback), fallback);
}

/** Shorter, it would do nothing but ask; longer, a timer can't. */
function probeInterval(text: string): number {
  const found = duration(text);
  if (found >= milliseconds('100ms') && found <= milliseconds('24h')) return found;
  throw new InvalidArgumentError('use a duration from 100ms to 24h');
}

function duration(text: string): number {
  try {
    return milliseconds(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`use a whole number from ${least} to ${most}`);
  };
}

/** Given twice, an option adds its names: to forget the first ones would leave clusters out without a word. */
export function names(text: string, earlier: readonly string[] = []): readonly string[] {
  const given = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const found = [...earlier, ...given];
  const twice = found.find((name, index) => found.indexOf(name) !== index);
  if (twice !== undefined) throw new InvalidArgumentError(`"${twice}" is named twice`);
  if (given.length === 0) throw new InvalidArgumentError('name at least one');
  return found;
}
