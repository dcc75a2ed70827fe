import { type ClusterHealth, type ClusterProbe, clusterHealth, topologyOf } from 'clusterset/registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const OK: ClusterProbe = { answer: 'ok', kubernetesVersion: 'v1.34.1' };
const NOT_OK: ClusterProbe = { answer: 'not-ok', message: 'etcd' };
const NONE: ClusterProbe = { answer: 'none', message: 'timed out' };
const MALFORMED: ClusterProbe = { answer: 'misconfigured', message: 'no token' };

type Options = Parameters<typeof clusterHealth>[3];

/** What is thought after each look; one look every ten seconds, as kubefed takes them. */
function looks(probes: readonly ClusterProbe[], options?: Options): ClusterHealth[] {
  const seen: ClusterHealth[] = [];
  for (const [index, probe] of probes.entries()) seen.push(clusterHealth(seen.at(-1), probe, at(index * 10), options));
  return seen;
}
const letters = (text: string): ClusterProbe[] => [...text].map((letter) => (letter === 'T' ? OK : NONE));
const readiness = (seen: readonly ClusterHealth[]): string => seen.map(({ health }) => (health.ready ? 'T' : 'F')).join('');
const last = (seen: readonly ClusterHealth[]): ClusterHealth => seen.at(-1) as ClusterHealth;
const statuses = ({ conditions }: ClusterHealth) => Object.fromEntries(conditions.map(({ type, status }) => [type, status]));

describe('clusterHealth', () => {
  // kubefed issue 1496: kubefed counted how long a state was held, and flipped a long-healthy cluster at once.
  it.each([
    ['TTTTTTF', 'TTTTTTT'],
    ['TTTTTTFFF', 'TTTTTTTTF'],
    ['TFFTFFT', 'TTTTTTT'],
    ['TFTFTFTF', 'TTTTTTTT'],
    ['TFFFT', 'TTTFT'],
    ['F', 'F'],
    ['FT', 'FT'],
    ['T', 'T'],
  ])('of the looks %s thinks %s, by default', (probes, expected) => {
    expect(readiness(looks(letters(probes)))).toBe(expected);
  });

  it.each([
    ['FTFTT', 'FFFFT', { successes: 2, failures: 1 }],
    ['TFTF', 'TFTF', { successes: 1, failures: 1 }],
    ['TFFFTT', 'TTFFFT', { successes: 2, failures: 2 }],
  ])('of the looks %s thinks %s with %j', (probes, expected, options) => {
    expect(readiness(looks(letters(probes), options))).toBe(expected);
  });

  it.each<[ClusterProbe, Record<string, string>]>([
    [OK, { Ready: 'True', Offline: 'False', ConfigMalformed: 'False' }],
    [NOT_OK, { Ready: 'False', Offline: 'False', ConfigMalformed: 'False' }],
    [NONE, { Ready: 'Unknown', Offline: 'True', ConfigMalformed: 'False' }],
    [MALFORMED, { Ready: 'Unknown', Offline: 'Unknown', ConfigMalformed: 'True' }],
  ])('writes all conditions after %j', (probe, expected) => {
    expect(statuses(clusterHealth(undefined, probe, at(0)))).toEqual(expected);
    // The others are written anew where the answer is another one.
    expect(statuses(last(looks([OK, ...Array(3).fill(probe)])))).toEqual(expected);
    expect(statuses(last(looks([MALFORMED, probe])))).toEqual(expected);
  });

  it('names reasons as kubefed did, and the cause', () => {
    const ready = (look: ClusterProbe) => clusterHealth(undefined, look, at(0)).conditions.find(({ type }) => type === 'Ready');
    expect(ready(OK)).toEqual({
      type: 'Ready',
      status: 'True',
      reason: 'ClusterReady',
      message: '/readyz responded with ok',
      lastTransitionTime: at(0),
    });
    expect(ready(NOT_OK)).toMatchObject({ reason: 'ClusterNotReady', message: 'etcd' });
    expect(ready(NONE)).toMatchObject({ reason: 'ClusterNotReachable', message: 'timed out' });
    expect(ready(MALFORMED)).toMatchObject({ reason: 'ClusterConfigMalformed', message: 'no token' });
  });

  it('changes a transition time only with the status', () => {
    const seen = last(looks([NONE, NOT_OK, OK]));
    expect(seen.conditions.map(({ type, lastTransitionTime }) => [type, lastTransitionTime])).toEqual([
      ['Ready', at(20)],
      ['Offline', at(10)],
      ['ConfigMalformed', at(0)],
    ]);
  });

  it('writes nothing for other words of the same failure', () => {
    const [first, second] = looks([NONE, { answer: 'none', message: 'timed out after 3.01 s' }]);
    expect(second).toBe(first);
  });

  it('stays engaged for the time of grace, counted from when it was found not ready', () => {
    const options = { failures: 2, graceMs: 30_000 };
    const seen = looks(letters('TFFFFFFT'), options);
    expect(seen.map(({ engaged }) => engaged)).toEqual([true, true, true, true, true, false, false, true]);
    expect(seen.map(({ notReadySince }) => notReadySince)).toEqual([
      undefined,
      undefined,
      at(20),
      at(20),
      at(20),
      at(20),
      at(20),
      undefined,
    ]);
  });

  it('disengages at once without grace, and engages as soon as it is ready', () => {
    expect(looks(letters('FT'), { graceMs: 0 }).map(({ engaged }) => engaged)).toEqual([false, true]);
  });

  it('starts the grace anew after each return', () => {
    const seen = looks(letters('TFTF'), { failures: 1, graceMs: 15_000 });
    expect(seen.map(({ notReadySince }) => notReadySince)).toEqual([undefined, at(10), undefined, at(30)]);
  });

  it('keeps the version that was seen last, which kubefed lost with each failure', () => {
    const seen = looks([OK, NONE, { answer: 'ok' }, { answer: 'ok', kubernetesVersion: 'v1.35.0' }]);
    expect(seen.map(({ kubernetesVersion }) => kubernetesVersion)).toEqual(['v1.34.1', 'v1.34.1', 'v1.34.1', 'v1.35.0']);
  });

  const anyProbe = fc.constantFrom(OK, NOT_OK, NONE, MALFORMED);
  const thresholds = fc.record({ successes: fc.integer({ min: 2, max: 5 }), failures: fc.integer({ min: 2, max: 5 }) });

  it('never changes its mind for a single contrary look', () => {
    fc.assert(
      fc.property(fc.array(anyProbe, { minLength: 1 }), thresholds, (probes, options) => {
        const before = last(looks(probes, options));
        const settled = { ...before, health: { ...before.health, contrary: 0 } };
        const contrary = before.health.ready ? NONE : OK;
        const after = clusterHealth(settled, contrary, at(10_000), options);
        expect(after.health.ready).toBe(before.health.ready);
        expect(after.conditions).toBe(before.conditions);
        const back = clusterHealth(after, before.health.ready ? OK : NOT_OK, at(10_010), options);
        expect(back.health).toEqual({ ready: before.health.ready, contrary: 0 });
      }),
    );
  });

  it('gives the very same object when a look shows what is thought already', () => {
    fc.assert(
      fc.property(fc.array(anyProbe), anyProbe, thresholds, (probes, next, options) => {
        const most = Math.max(options.successes, options.failures);
        const settled = last(looks([...probes, ...Array<ClusterProbe>(most).fill(next)], { ...options, graceMs: 1e12 }));
        expect(clusterHealth(settled, next, at(100_000), { ...options, graceMs: 1e12 })).toBe(settled);
        expect(settled.health).toEqual({ ready: next.answer === 'ok', contrary: 0 });
      }),
    );
  });

  it('takes null, which a store may have, for nothing that was thought before', () => {
    for (const probe of [OK, NOT_OK, NONE, MALFORMED])
      expect(clusterHealth(null, probe, at(0))).toEqual(clusterHealth(undefined, probe, at(0)));
  });

  it('keeps what it thinks as plain data', () => {
    const seen = looks([OK, NONE, NONE, NONE]);
    const kept = JSON.parse(JSON.stringify(last(seen))) as ClusterHealth;
    expect(clusterHealth(kept, NONE, at(40))).toBe(kept);
  });
});

describe('topologyOf', () => {
  const node = (labels?: Record<string, string>) => ({ metadata: labels === undefined ? {} : { labels } });
  const modern = (region: string, zone: string) =>
    node({ 'topology.kubernetes.io/region': region, 'topology.kubernetes.io/zone': zone });
  const legacy = (region: string, zone: string) =>
    node({ 'failure-domain.beta.kubernetes.io/region': region, 'failure-domain.beta.kubernetes.io/zone': zone });

  it.each([
    [
      'all zones, sorted and once',
      [modern('eu', 'b'), modern('eu', 'a'), modern('eu', 'b')],
      {},
      { region: 'eu', zones: ['a', 'b'] },
    ],
    [
      'the region of most nodes, where kubefed took the first',
      [modern('us', 'x'), modern('eu', 'a'), modern('eu', 'a')],
      {},
      { region: 'eu', zones: ['a', 'x'] },
    ],
    [
      'the first by name of two regions of as many nodes',
      [modern('us', 'x'), modern('eu', 'a')],
      {},
      { region: 'eu', zones: ['a', 'x'] },
    ],
    ['the old labels', [legacy('eu', 'a')], {}, { region: 'eu', zones: ['a'] }],
    [
      'the new labels before the old',
      [node({ 'topology.kubernetes.io/zone': 'new', 'failure-domain.beta.kubernetes.io/zone': 'old' })],
      {},
      { zones: ['new'] },
    ],
    [
      'what was known, where nodes don’t say',
      [node(), node({ x: 'y' })],
      { region: 'eu', zones: ['a'] },
      { region: 'eu', zones: ['a'] },
    ],
    ['what was known, where there are no nodes', [], { region: 'eu' }, { region: 'eu' }],
    ['nothing for empty labels', [modern('', '')], {}, {}],
    [
      'what nodes say, before what was known',
      [modern('eu', 'a')],
      { region: 'us', zones: ['x'] },
      { region: 'eu', zones: ['a'] },
    ],
  ])('gives %s', (_, nodes, before, expected) => {
    expect(topologyOf(nodes, before)).toEqual(expected);
  });

  it('doesn’t depend on the order of the nodes', () => {
    const some = fc.constantFrom(modern('eu', 'a'), modern('us', 'b'), legacy('us', 'c'), node());
    fc.assert(
      fc.property(fc.array(some), (nodes) => {
        expect(topologyOf(nodes.toReversed())).toEqual(topologyOf(nodes));
      }),
    );
  });
});
