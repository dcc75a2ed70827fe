/**
 * Records what a real API server makes of the cases in test/unit/testing/kinds-cases (defaults, failures, cells of tables) for the unit tests,
 * and the columns of the tables of all built-in kinds for the offline clusters. Run it when the pinned Kubernetes version or a case changes:
 * `npm run build && node scripts/record-kinds.ts`.
 */
import { writeFileSync } from 'node:fs';
import { BUILT_IN, qualifiedPlural } from 'clusterset/kube';
import { UNFEDERATED } from '../src/testing/kinds/unfederated.ts';
import { viewOf } from '../src/testing/kinds/views.ts';
import { startControlPlanes } from '../test/kube/harness/control-planes.ts';
import { ask, columnsOf, prepare } from '../test/unit/testing/kinds-cases/ask.ts';
import { KIND_CASES } from '../test/unit/testing/kinds-cases/index.ts';
import { sendTo } from '../test/unit/testing/kinds-cases/send.ts';

const ROOT = `${import.meta.dirname}/..`;

async function record(): Promise<void> {
  const planes = await startControlPlanes([{ name: 'real' }], console.log);
  try {
    const send = sendTo(planes.kubeconfig);
    await prepare(send);
    const columns: string[] = [];
    // The tables of a view are those of what it is a view of.
    for (const type of [...BUILT_IN, ...UNFEDERATED].filter((each) => viewOf(each) === undefined))
      columns.push(`${JSON.stringify(qualifiedPlural(type))}: ${JSON.stringify(await columnsOf(send, type))}`);
    writeFileSync(`${ROOT}/src/testing/web/table/columns.json`, `{\n${columns.join(',\n')}\n}\n`);
    const answers: string[] = [];
    for (const each of KIND_CASES) answers.push(JSON.stringify(await ask(send, each)));
    writeFileSync(`${ROOT}/test/fixtures/kubernetes-kinds.json`, `[\n${answers.join(',\n')}\n]\n`);
    console.log(`recorded ${columns.length} tables and ${answers.length} answers`);
  } finally {
    await planes.stop();
  }
}

await record();
