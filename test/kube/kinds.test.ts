import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, nameOfCase, prepare, type Send } from '../unit/testing/kinds-cases/ask.ts';
import { KIND_CASES } from '../unit/testing/kinds-cases/index.ts';
import { KNOWN_DIFFERENCES } from '../unit/testing/kinds-cases/known.ts';
import { sendOffline } from '../unit/testing/kinds-cases/offline.ts';
import { sendTo } from '../unit/testing/kinds-cases/send.ts';
import { type ControlPlanes, startControlPlanes } from './harness/control-planes.ts';

const cases = KIND_CASES.map((each) => [nameOfCase(each), each] as const);

describe('an offline cluster and a real API server say the same of: ', () => {
  let planes: ControlPlanes;
  let real: Send;
  const offline = sendOffline();

  beforeAll(async () => {
    planes = await startControlPlanes([{ name: 'real' }]);
    real = sendTo(planes.kubeconfig);
    await Promise.all([prepare(real), prepare(offline)]);
  });

  afterAll(async () => {
    await planes?.stop();
  });

  it.each(cases)('%s', async (name, kindCase) => {
    const [expected, answer] = [await ask(real, kindCase), await ask(offline, kindCase)];
    if (KNOWN_DIFFERENCES[name] === undefined) expect(answer).toEqual(expected);
    else expect(answer).not.toEqual(expected);
  });
});
