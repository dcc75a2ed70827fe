import { parseQuantity } from 'clusterset/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactAmount, formatAmount, readAmount, wholeAmount } from '../../../src/scheduling/estimate/amounts.ts';
import { podRequirements } from '../../../src/scheduling/estimate/replica.ts';

const asks = (requests: object, more: object = {}) => ({ name: 'c', resources: { requests }, ...more });
const init = (requests: object, more: object = {}) => asks(requests, more);
const sidecar = (requests: object) => asks(requests, { restartPolicy: 'Always' });

describe('amounts', () => {
  it.each<[string, unknown, number | undefined]>([
    ['cpu', '1', 1000],
    ['cpu', '0.5', 500],
    ['cpu', '1500m', 1500],
    ['cpu', '1500u', 2],
    ['cpu', 0.07, 70],
    ['cpu', 2, 2000],
    ['cpu', '1n', 1],
    ['memory', '1Gi', 1024 ** 3],
    ['memory', '1.5Gi', 1.5 * 1024 ** 3],
    ['memory', '1500m', 2],
    ['memory', '1k', 1000],
    ['memory', '9007199254741001m', 9007199254742],
    ['memory', '2E', Number.MAX_SAFE_INTEGER],
    ['memory', '-2E', -Number.MAX_SAFE_INTEGER],
    ['memory', '1e3', 1000],
    ['memory', '-1500m', -2],
    ['memory', '', undefined],
    ['memory', 'much', undefined],
    ['memory', '1Zi', undefined],
    ['memory', Number.NaN, undefined],
    ['memory', Number.POSITIVE_INFINITY, undefined],
    ['memory', null, undefined],
    ['memory', { toString: () => '1' }, undefined],
  ])('reads %s %j as %j', (name, value, expected) => {
    expect(readAmount(name, value)).toBe(expected);
  });

  it('reads plainly what it reads plainly as exactly as the long way', () => {
    const suffix = fc.constantFrom(
      '',
      'm',
      'k',
      'M',
      'G',
      'T',
      'P',
      'E',
      'Ki',
      'Mi',
      'Gi',
      'Ti',
      'Pi',
      'Ei',
      'u',
      'n',
      'e2',
      '.',
      '.5',
      '.25',
      '.125',
      '.0625',
    );
    const seen = { plain: 0, long: 0 };
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 55n }),
        fc.nat({ max: 17 }),
        suffix,
        fc.constantFrom('cpu', 'memory'),
        (digits, cut, end, name) => {
          const text = `${String(digits).slice(0, cut + 1)}${end}`;
          const plain = wholeAmount(name, text);
          seen[Number.isNaN(plain) ? 'long' : 'plain'] += 1;
          const exact = exactAmount(name, parseQuantity(text));
          if (!Number.isNaN(plain)) expect(BigInt(plain)).toBe(exact);
          expect(readAmount(name, text)).toBe(exact > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : Number(exact));
          if (exact <= Number.MAX_SAFE_INTEGER) expect(readAmount(name, formatAmount(name, exact))).toBe(Number(exact));
        },
      ),
      { numRuns: 3000 },
    );
    expect(seen.plain).toBeGreaterThan(500);
    expect(seen.long).toBeGreaterThan(500);
  });
});

describe('podRequirements: requests', () => {
  it.each<[string, object, Record<string, string>]>([
    ['nothing of a pod without containers', {}, {}],
    [
      'the sum of containers',
      { containers: [asks({ cpu: '100m', memory: '1Gi' }), asks({ cpu: '1' })] },
      { cpu: '1100m', memory: '1Gi' },
    ],
    [
      'the limit where there is no request',
      { containers: [{ resources: { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '1' } } }] },
      { cpu: '1', memory: '1Gi' },
    ],
    [
      'the greatest init container where it needs more',
      { containers: [asks({ cpu: '1' })], initContainers: [init({ cpu: '3' }), init({ cpu: '2' })] },
      { cpu: '3' },
    ],
    [
      'the containers where these need more',
      { containers: [asks({ cpu: '1' }), asks({ cpu: '3' })], initContainers: [init({ cpu: '3' })] },
      { cpu: '4' },
    ],
    [
      'each resource on its own',
      { containers: [asks({ cpu: '1', memory: '4' })], initContainers: [init({ cpu: '2', memory: '3' })] },
      { cpu: '2', memory: '4' },
    ],
    [
      'sidecars beside the containers',
      { containers: [asks({ cpu: '1' })], initContainers: [sidecar({ cpu: '2' })] },
      { cpu: '3' },
    ],
    [
      'a sidecar beside the init containers after it',
      { containers: [asks({ cpu: '1' })], initContainers: [sidecar({ cpu: '2' }), init({ cpu: '3' })] },
      { cpu: '5' },
    ],
    [
      'no sidecar beside the init containers before it',
      { containers: [asks({ cpu: '1' })], initContainers: [init({ cpu: '3' }), sidecar({ cpu: '2' })] },
      { cpu: '3' },
    ],
    [
      'all sidecars so far',
      { containers: [], initContainers: [sidecar({ cpu: '1' }), sidecar({ cpu: '2' }), init({ cpu: '4' })] },
      { cpu: '7' },
    ],
    [
      'overhead on top',
      { containers: [asks({ cpu: '1' })], overhead: { cpu: '250m', memory: '1Mi' } },
      { cpu: '1250m', memory: '1Mi' },
    ],
    [
      'the pod as a whole in the place of its containers',
      { containers: [asks({ cpu: '1', gpu: '2' })], resources: { requests: { cpu: '3', gpu: '9' } }, overhead: { cpu: '1' } },
      { cpu: '4', gpu: '2' },
    ],
    [
      'the pod as a whole also where it is less',
      { containers: [asks({ cpu: '5' })], resources: { requests: { cpu: '3' } } },
      { cpu: '3' },
    ],
    [
      'the limit of the pod where nobody requests',
      { containers: [{}], resources: { limits: { memory: '1Gi' } } },
      { memory: '1Gi' },
    ],
    [
      'containers before the limit of the pod',
      { containers: [asks({ memory: '1Mi' })], resources: { limits: { memory: '1Gi' } } },
      { memory: '1Mi' },
    ],
    ['CPU in thousandths, rounded up', { containers: [asks({ cpu: '1500u' })] }, { cpu: '2m' }],
    ['an explicit nothing', { containers: [{ resources: { requests: { cpu: '0' }, limits: { cpu: '1' } } }] }, { cpu: '0' }],
    [
      'resources that are named like parts of objects',
      JSON.parse('{"containers":[{"resources":{"requests":{"__proto__":"1","constructor":"2"}}}]}'),
      JSON.parse('{"__proto__":"1","constructor":"2"}'),
    ],
  ])('are %s', (_, spec, expected) => {
    expect(podRequirements(spec)).toEqual({ requests: expected });
  });

  it.each<[unknown, string, string]>([
    [{ containers: [asks({}), asks({ cpu: 'lots' })] }, 'spec.containers[1].resources.requests[cpu]', '"lots" is no quantity'],
    [
      { containers: [{ resources: { limits: { cpu: true } } }] },
      'spec.containers[0].resources.limits[cpu]',
      'a boolean is no quantity',
    ],
    [{ initContainers: [asks({ cpu: '-1' })] }, 'spec.initContainers[0].resources.requests[cpu]', 'must not be negative'],
    [{ overhead: { memory: [] } }, 'spec.overhead[memory]', 'is no quantity'],
    [{ resources: { requests: { cpu: 'x' } } }, 'spec.resources.requests[cpu]', '"x" is no quantity'],
  ])('refuse %j with the field', (spec, field, message) => {
    expect(() => podRequirements(spec)).toThrow(
      expect.objectContaining({ code: 'Invalid', field, message: expect.stringContaining(message) }),
    );
  });

  it.each([
    [undefined],
    [null],
    [7],
    ['spec'],
    [[]],
    [{ containers: 7, initContainers: {}, overhead: [], resources: 'x' }],
    [{ containers: [null, 7, { resources: [] }] }],
  ])('are nothing of %j', (spec) => {
    expect(podRequirements(spec)).toEqual({ requests: {} });
  });
});

describe('podRequirements: rules', () => {
  it('has all rules of a template, and of each only what is said', () => {
    const spec = {
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'a', operator: 'Exists', tolerationSeconds: 5 }, {}],
      containers: [
        { ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 8081, protocol: 'UDP', hostIP: '10.0.0.1' }] },
      ],
      initContainers: [{ restartPolicy: 'Always', ports: [{ hostPort: 9 }] }, { ports: [{ hostPort: 10 }] }],
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }],
          },
        },
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'web' } }, namespaces: ['shop'] },
          ],
        },
      },
    };
    expect(podRequirements(spec, { labels: { app: 'web' }, namespace: 'shop' })).toEqual({
      requests: {},
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'a', operator: 'Exists' }, {}],
      hostPorts: [{ port: 8081, protocol: 'UDP', hostIP: '10.0.0.1' }, { port: 9 }],
      nodeAffinity: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }], matchFields: [] }],
      antiAffinity: [
        { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'web' }, matchExpressions: [] }, namespaces: ['shop'] },
      ],
      labels: { app: 'web' },
      namespace: 'shop',
    });
  });

  it('takes every port of a pod that has the network of its node', () => {
    const containers = [{ ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 82 }] }];
    expect(podRequirements({ hostNetwork: true, containers }).hostPorts).toEqual([{ port: 80 }, { port: 82 }]);
  });
});
