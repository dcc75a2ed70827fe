import { LineCounter, parseDocument } from 'yaml';
import { ClustersetError } from '../kube/index.ts';

/** Reads a kubeconfig's YAML. An error tells the line and the kind of mistake, and quotes nothing: it may be a token. */
export function parseKubeconfigYaml(text: string, called: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false, logLevel: 'error' });
  const [mistake] = [...document.errors, ...document.warnings];
  if (mistake !== undefined) {
    const kind = mistake.code.toLowerCase().replaceAll('_', ' ');
    const { line } = lines.linePos(mistake.pos[0]);
    throw invalidKubeconfig(`${called}, line ${line}`, `is no kubeconfig: a mistake in its YAML (${kind})`, 'correct the file');
  }
  try {
    const content: unknown = document.toJS({ maxAliasCount: 100 });
    // An alias of what it stands in makes a circle, in which everything that walks through it gets lost.
    JSON.stringify(content);
    return content;
  } catch {
    throw invalidKubeconfig(
      called,
      'is no kubeconfig: it has an alias that leads nowhere or back to itself, or too many',
      'correct the file',
    );
  }
}

export function invalidKubeconfig(called: string, message: string, mend: string): ClustersetError {
  return new ClustersetError({ code: 'Invalid', message: `kubeconfig ${called}: ${message}`, mend });
}
