import { casesOf, change, type KindCase, status } from './case.ts';

const pod = casesOf('v1', 'Pod');
const web = { name: 'web', image: 'shop/web:1' };
const running = {
  name: 'web',
  image: 'shop/web:1',
  imageID: '',
  ready: true,
  restartCount: 0,
  started: true,
  state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
};
const waiting = (reason: string): object => ({ ...running, ready: false, started: false, state: { waiting: { reason } } });
const ended = (exitCode: number, reason?: string): object => ({
  ...running,
  ready: false,
  started: false,
  restartCount: 3,
  state: {
    terminated: {
      exitCode,
      ...(reason === undefined ? {} : { reason }),
      startedAt: '2026-01-01T00:00:00Z',
      finishedAt: '2026-01-01T00:00:10Z',
    },
  },
});

export const POD_CASES: readonly KindCase[] = [
  pod('plain', { spec: { containers: [web] } }),
  pod('images', {
    spec: {
      containers: [
        { name: 'a', image: 'web' },
        { name: 'b', image: 'web:latest' },
        { name: 'c', image: 'registry:5000/web' },
        { name: 'd', image: 'web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef' },
        { name: 'e', image: 'web:2', imagePullPolicy: 'Never' },
      ],
    },
  }),
  pod('full', {
    metadata: { labels: { app: 'web' }, annotations: { a: 'b' } },
    spec: {
      initContainers: [
        { ...web, name: 'init' },
        { ...web, name: 'side', restartPolicy: 'Always' },
      ],
      containers: [
        {
          ...web,
          command: ['run'],
          args: ['-v'],
          workingDir: '/srv',
          ports: [{ containerPort: 80 }, { name: 'metrics', containerPort: 9090, protocol: 'UDP' }],
          env: [
            { name: 'A', value: '1' },
            { name: 'EMPTY', value: '' },
            { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
            { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
            { name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: true } } },
          ],
          envFrom: [{ configMapRef: { name: 'c' } }],
          resources: { limits: { cpu: '1000m', memory: '1024Mi' }, requests: { cpu: 0.5 } },
          livenessProbe: { httpGet: { port: 80 } },
          readinessProbe: { tcpSocket: { port: 'metrics' }, periodSeconds: 3 },
          startupProbe: { exec: { command: ['true'] }, failureThreshold: 30 },
          lifecycle: { preStop: { httpGet: { port: 80 } }, postStart: { exec: { command: ['true'] } } },
          volumeMounts: [
            { name: 'scratch', mountPath: '/tmp' },
            { name: 'host', mountPath: '/host', readOnly: true },
          ],
          securityContext: { runAsNonRoot: true, capabilities: { drop: ['ALL'] } },
          stdin: true,
        },
      ],
      volumes: [
        { name: 'scratch', emptyDir: {} },
        { name: 'nothing' },
        { name: 'host', hostPath: { path: '/var/log' } },
        { name: 'secret', secret: { secretName: 's' } },
        { name: 'config', configMap: { name: 'c', items: [{ key: 'a', path: 'b' }] } },
        { name: 'down', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
        {
          name: 'projected',
          projected: {
            sources: [
              { serviceAccountToken: { path: 'token' } },
              { configMap: { name: 'c' } },
              { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
            ],
          },
        },
        { name: 'claim', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'nfs', nfs: { server: 'example.com', path: '/' } },
        { name: 'csi', csi: { driver: 'csi.example.com' } },
        {
          name: 'own',
          ephemeral: {
            volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
          },
        },
      ],
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }],
          },
        },
      },
      tolerations: [
        { key: 'a', operator: 'Exists' },
        { key: 'b', value: 'c', effect: 'NoSchedule' },
      ],
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } } },
      ],
      readinessGates: [{ conditionType: 'example.com/ready' }],
      imagePullSecrets: [{ name: 'pull' }],
      hostAliases: [{ ip: '192.0.2.1', hostnames: ['a'] }],
      serviceAccountName: 'bot',
      restartPolicy: 'OnFailure',
      activeDeadlineSeconds: 60,
      hostname: 'web',
      subdomain: 'shop',
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      securityContext: { fsGroup: 1 },
    },
  }),
  pod('guaranteed', { spec: { containers: [{ ...web, resources: { limits: { cpu: '1', memory: '1Gi' } } }] } }),
  pod('burstable', { spec: { containers: [{ ...web, resources: { requests: { memory: '1Gi' } } }] } }),
  pod('host-network', { spec: { hostNetwork: true, containers: [{ ...web, ports: [{ containerPort: 80 }] }] } }),
  pod('gated', { spec: { schedulingGates: [{ name: 'example.com/wait' }], containers: [web] } }),
  pod('probe-grpc', { spec: { containers: [{ ...web, livenessProbe: { grpc: { port: 80 } } }] } }),
  pod(
    'running',
    { spec: { nodeName: 'node-1', containers: [web] } },
    status({
      phase: 'Running',
      podIP: '10.1.0.4',
      podIPs: [{ ip: '10.1.0.4' }],
      hostIP: '192.0.2.7',
      startTime: '2026-01-01T00:00:00Z',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [running],
    }),
  ),
  pod(
    'crashing',
    { spec: { containers: [web] } },
    status({
      phase: 'Running',
      containerStatuses: [
        {
          ...waiting('CrashLoopBackOff'),
          restartCount: 5,
          lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:00:10Z' } },
        },
      ],
    }),
  ),
  pod('pulling', { spec: { containers: [web] } }, status({ phase: 'Pending', containerStatuses: [waiting('ErrImagePull')] })),
  pod('completed', { spec: { containers: [web] } }, status({ phase: 'Succeeded', containerStatuses: [ended(0, 'Completed')] })),
  pod('failed', { spec: { containers: [web] } }, status({ phase: 'Failed', containerStatuses: [ended(2)] })),
  pod('evicted', { spec: { containers: [web] } }, status({ phase: 'Failed', reason: 'Evicted' })),
  pod(
    'half-done',
    { spec: { containers: [web, { ...web, name: 'b' }] } },
    status({ phase: 'Running', containerStatuses: [ended(0, 'Completed'), { ...running, name: 'b' }] }),
  ),
  pod(
    'initializing',
    { spec: { initContainers: [{ ...web, name: 'init' }], containers: [web] } },
    status({
      phase: 'Pending',
      initContainerStatuses: [{ ...running, name: 'init' }],
      containerStatuses: [waiting('PodInitializing')],
    }),
  ),
  pod(
    'init-crashing',
    { spec: { initContainers: [{ ...web, name: 'init' }], containers: [web] } },
    status({ phase: 'Pending', initContainerStatuses: [{ ...ended(3), name: 'init' }] }),
  ),
  pod(
    'gate-open',
    { spec: { readinessGates: [{ conditionType: 'a.b/c' }], containers: [web] } },
    status({ conditions: [{ type: 'a.b/c', status: 'True' }] }),
  ),

  pod('no-containers', { spec: {} }),
  pod('no-spec', {}),
  pod('no-name', { spec: { containers: [{ image: 'web' }] } }),
  pod('no-image', { spec: { containers: [{ name: 'web' }] } }),
  pod('bad-name', { spec: { containers: [{ ...web, name: 'Web_1' }] } }),
  pod('twin-names', { spec: { containers: [web, web] } }),
  pod('twin-init', { spec: { initContainers: [web], containers: [web] } }),
  pod('bad-policies', {
    spec: {
      restartPolicy: 'Sometimes',
      dnsPolicy: 'Never',
      containers: [{ ...web, imagePullPolicy: 'Maybe', terminationMessagePolicy: 'Loud' }],
    },
  }),
  pod('bad-port', {
    spec: {
      containers: [
        {
          ...web,
          ports: [
            { containerPort: 0 },
            { containerPort: 70000 },
            { containerPort: 80, protocol: 'HTTP' },
            { containerPort: 81, name: 'Bad_Name' },
          ],
        },
      ],
    },
  }),
  pod('twin-ports', {
    spec: {
      containers: [
        {
          ...web,
          ports: [
            { name: 'a', containerPort: 80 },
            { name: 'a', containerPort: 81 },
          ],
        },
      ],
    },
  }),
  pod('bad-env', {
    spec: {
      containers: [
        {
          ...web,
          env: [
            { name: '' },
            { name: 'a=b' },
            { name: 'C', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'D', valueFrom: {} },
          ],
        },
      ],
    },
  }),
  pod('requests-above-limits', {
    spec: { containers: [{ ...web, resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }] },
  }),
  pod('negative-request', { spec: { containers: [{ ...web, resources: { requests: { cpu: '-1' } } }] } }),
  pod('unknown-resource', { spec: { containers: [{ ...web, resources: { requests: { cpus: '1' } } }] } }),
  pod('no-such-volume', {
    spec: {
      containers: [
        {
          ...web,
          volumeMounts: [
            { name: 'data', mountPath: '/data' },
            { name: '', mountPath: '' },
          ],
        },
      ],
    },
  }),
  pod('twin-mounts', {
    spec: {
      volumes: [{ name: 'a' }],
      containers: [
        {
          ...web,
          volumeMounts: [
            { name: 'a', mountPath: '/a' },
            { name: 'a', mountPath: '/a' },
          ],
        },
      ],
    },
  }),
  pod('bad-volumes', {
    spec: {
      volumes: [
        { name: 'A' },
        { name: 'b', emptyDir: {}, hostPath: { path: '/' } },
        { name: 'c', secret: {} },
        { name: 'd', configMap: {} },
        { name: 'd', emptyDir: {} },
      ],
      containers: [web],
    },
  }),
  pod('bad-probe', {
    spec: {
      containers: [
        {
          ...web,
          livenessProbe: { successThreshold: 2, tcpSocket: { port: 0 } },
          readinessProbe: { periodSeconds: -1, httpGet: { port: 80 } },
          startupProbe: {},
        },
      ],
    },
  }),
  pod('two-handlers', { spec: { containers: [{ ...web, livenessProbe: { tcpSocket: { port: 80 }, httpGet: { port: 80 } } }] } }),
  pod('bad-tolerations', {
    spec: {
      tolerations: [
        { operator: 'Equal' },
        { key: 'a', operator: 'Exists', value: 'b' },
        { key: 'c', operator: 'Near' },
        { key: 'd', effect: 'Some' },
        { key: 'e', tolerationSeconds: 5, effect: 'NoSchedule' },
      ],
      containers: [web],
    },
  }),
  pod('bad-selector', { spec: { nodeSelector: { 'a b': 'c d' }, containers: [web] } }),
  pod('bad-hostname', { spec: { hostname: 'a.b', subdomain: 'A', containers: [web] } }),
  pod('negative-times', { spec: { activeDeadlineSeconds: 0, terminationGracePeriodSeconds: -1, containers: [web] } }),
  pod('bad-spread', {
    spec: { topologySpreadConstraints: [{ maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'Never' }], containers: [web] },
  }),
  pod('no-account', { spec: { serviceAccountName: 'Bad_Name', containers: [web] } }),
  pod('Bad_Name', { spec: { containers: [web] } }),
  pod('changed', { spec: { containers: [web] } }, change({ spec: { containers: [{ ...web, image: 'shop/web:2' }] } })),
  pod('immutable', { spec: { containers: [web] } }, change({ spec: { nodeName: 'other' } })),
  pod('relabelled', { spec: { containers: [web] } }, change({ metadata: { labels: { a: 'b' } } })),
  pod('more-tolerations', { spec: { containers: [web] } }, change({ spec: { restartPolicy: 'Never' } })),
];
