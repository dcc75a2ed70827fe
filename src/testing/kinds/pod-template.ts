import { each, type Fields, filled, filling, inside, listOf, part, textOf, without } from './kind.ts';

/** The defaults of a pod spec (API: core/v1 PodSpec; stated in prose, not in the OpenAPI). */
function podSpecDefaults(spec: Fields): Fields {
  const base = filled(spec, {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    // The older name of a field that has two.
    ...(textOf(spec, 'serviceAccountName') === '' ? {} : { serviceAccount: spec.serviceAccountName }),
  });
  const named =
    base.serviceAccountName === undefined && base.serviceAccount !== undefined ? { serviceAccountName: base.serviceAccount } : {};
  return each(
    { ...base, ...named },
    {
      containers: containerDefaults,
      initContainers: containerDefaults,
      ephemeralContainers: containerDefaults,
      volumes: volumeDefaults,
    },
  );
}

/** The defaults of a pod template. */
export function templateDefaults(template: Fields): Fields {
  return { ...template, spec: podSpecDefaults(part(template, 'spec')) };
}

const httpGet = filling({ path: '/', scheme: 'HTTP' });
const handler = (fields: Fields): Fields => inside(fields, { httpGet });

function containerDefaults(container: Fields): Fields {
  const base = filled(container, {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: pullPolicy(textOf(container, 'image')),
    resources: {},
  });
  return inside(each(base, { ports: filling({ protocol: 'TCP' }), env: envDefaults }), {
    livenessProbe: probeDefaults,
    readinessProbe: probeDefaults,
    startupProbe: probeDefaults,
    lifecycle: (lifecycle) => inside(lifecycle, { postStart: handler, preStop: handler }),
  });
}

/** An image of no fixed version may have changed. */
function pullPolicy(image: string): string {
  const tag = /:([^/:@]+)(?:@.*)?$/.exec(image)?.[1];
  const isLatest = tag === 'latest' || (tag === undefined && !image.includes('@'));
  return isLatest ? 'Always' : 'IfNotPresent';
}

const fieldRef = filling({ apiVersion: 'v1' });
const resourceFieldRef = filling({ divisor: '0' });
const sources = (fields: Fields): Fields => inside(fields, { fieldRef, resourceFieldRef });

function envDefaults(variable: Fields): Fields {
  const bare = variable.value === '' ? without(variable, 'value') : variable;
  return inside(bare, { valueFrom: sources });
}

function probeDefaults(probe: Fields): Fields {
  const withTimes = filled(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  return inside(withTimes, { httpGet, grpc: filling({ service: '' }) });
}

const FILE_MODE = 420;
const files = filling({ defaultMode: FILE_MODE });
const items = (fields: Fields): Fields => each(fields, { items: sources });

const VOLUMES = {
  configMap: files,
  secret: files,
  downwardAPI: (volume: Fields) => files(items(volume)),
  projected: (volume: Fields) => files(each(volume, { sources: projection })),
  hostPath: filling({ type: '' }),
  image: (volume: Fields) => filled(volume, { pullPolicy: pullPolicy(textOf(volume, 'reference')) }),
  ephemeral: (volume: Fields) =>
    inside(volume, { volumeClaimTemplate: (template) => inside(template, { spec: filling({ volumeMode: 'Filesystem' }) }) }),
  azureDisk: filling({ cachingMode: 'ReadWrite', fsType: 'ext4', kind: 'Shared', readOnly: false }),
  iscsi: filling({ iscsiInterface: 'default' }),
  rbd: filling({ pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' }),
  scaleIO: filling({ fsType: 'xfs', storageMode: 'ThinProvisioned' }),
};

function projection(source: Fields): Fields {
  return inside(source, { serviceAccountToken: filling({ expirationSeconds: 3600 }), downwardAPI: items });
}

function volumeDefaults(volume: Fields): Fields {
  const isBare = Object.keys(volume).every((name) => name === 'name');
  return isBare ? { ...volume, emptyDir: {} } : inside(volume, VOLUMES);
}

/** What a pod has beyond a template: requests that follow the limits, and ports of the host's network. */
export function podDefaults(spec: Fields): Fields {
  const base = filled(podSpecDefaults(spec), { enableServiceLinks: true });
  const change = (container: Fields): Fields => withRequests(spec.hostNetwork === true ? withHostPorts(container) : container);
  return each(base, { containers: change, initContainers: change });
}

function withRequests(container: Fields): Fields {
  const resources = part(container, 'resources');
  if (resources.limits === undefined) return container;
  return { ...container, resources: { ...resources, requests: filled(part(resources, 'requests'), part(resources, 'limits')) } };
}

function withHostPorts(container: Fields): Fields {
  return each(container, { ports: (port) => (port.hostPort === undefined ? { ...port, hostPort: port.containerPort } : port) });
}

/** All containers of a pod that run side by side or before one another. */
export function containersOf(spec: Fields): readonly Fields[] {
  return [...listOf(spec, 'initContainers'), ...listOf(spec, 'containers')];
}
