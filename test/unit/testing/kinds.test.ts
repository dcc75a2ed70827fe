import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { ask, type KindAnswer, nameOfCase, prepare } from './kinds-cases/ask.ts';
import { KIND_CASES } from './kinds-cases/index.ts';
import { KNOWN_DIFFERENCES } from './kinds-cases/known.ts';
import { sendOffline } from './kinds-cases/offline.ts';

const FIXTURE = new URL('../../fixtures/kubernetes-kinds.json', import.meta.url);
const recorded = new Map((JSON.parse(readFileSync(FIXTURE, 'utf8')) as readonly KindAnswer[]).map((each) => [each.case, each]));
const cases = KIND_CASES.map((each) => [nameOfCase(each), each] as const);

describe('an offline cluster answers as the recorded API server did: ', () => {
  const send = sendOffline();
  beforeAll(() => prepare(send));

  it.each(cases.filter(([name]) => KNOWN_DIFFERENCES[name] === undefined))('%s', async (name, kindCase) => {
    expect(await ask(send, kindCase)).toEqual(recorded.get(name));
  });

  it.each(cases.filter(([name]) => KNOWN_DIFFERENCES[name] !== undefined))('still differs in %s', async (name, kindCase) => {
    expect(await ask(send, kindCase)).not.toEqual(recorded.get(name));
  });
});

it('has an answer to every case, and no case twice', () => {
  expect(new Set(cases.map(([name]) => name)).size).toBe(cases.length);
  expect([...recorded.keys()].toSorted()).toEqual(cases.map(([name]) => name).toSorted());
});
