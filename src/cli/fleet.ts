import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type ClusterEntry, fleetIssues, parseFleet } from '../registry/index.ts';
import { CommandFailure } from './failure.ts';
import { parseYaml, readText } from './yaml-file.ts';

/**
 * Reads a fleet file: a YAML list of clusters.
 *
 * @throws CommandFailure naming every problem with its line.
 */
export function readFleet(file: string): readonly ClusterEntry[] {
  if (!existsSync(file)) throw new CommandFailure([`${file}: there is no such fleet file`]);
  const { documents, problems: syntax } = parseYaml(readText(file), file);
  if (syntax.length > 0) throw new CommandFailure(syntax);
  const [document, second] = documents;
  if (second !== undefined)
    throw new CommandFailure([`${file}:${second.lineOf('')}: a fleet is one document, and here is another`]);
  const problems = fleetIssues(document?.value).map(({ field, message, mend }) => {
    const line = document?.lineOf(field) ?? 1;
    return `${file}:${line}: ${field === '' ? '' : `${field}: `}${message}${mend === undefined ? '' : `; ${mend}`}`;
  });
  if (problems.length > 0) throw new CommandFailure(problems);
  const fleet = parseFleet(document?.value);
  if (fleet.length === 0) throw new CommandFailure([`${file}: there are no clusters in there; start each with "- name: …"`]);
  return fleet.map((entry) => besideFile(entry, file));
}

/** The kubeconfig of an entry is where the fleet file says, wherever the command is run. */
function besideFile(entry: ClusterEntry, file: string): ClusterEntry {
  const { kubeconfig } = entry.auth ?? {};
  return kubeconfig === undefined ? entry : { ...entry, auth: { ...entry.auth, kubeconfig: resolve(dirname(file), kubeconfig) } };
}
