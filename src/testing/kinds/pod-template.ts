import { type Fields, filled, listOf, part } from './kind.ts';

/** The defaults of a pod spec (API: core/v1 PodSpec; stated in prose, not in the OpenAPI). */
export function podSpecDefaults(spec: Fields): Fields {
  const base = filled(spec, {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
  });
  const containers = ['containers', 'initContainers', 'ephemeralContainers'].flatMap((name) =>
    spec[name] === undefined ? [] : [[name, listOf(spec, name).map(containerDefaults)]],
  );
  const volumes = spec.volumes === undefined ? {} : { volumes: listOf(spec, 'volumes').map(volumeDefaults) };
  return { ...base, ...Object.fromEntries(containers), ...volumes };
}

/** The defaults of a pod template. */
export function templateDefaults(template: Fields): Fields {
  return { ...template, spec: podSpecDefaults(part(template, 'spec')) };
}

function containerDefaults(container: Fields): Fields {
  const image = String(container.image ?? '');
  const tag = /:([^/:@]+)(?:@.*)?$/.exec(image)?.[1];
  const isLatest = !image.includes('@') && (tag === undefined || tag === 'latest');
  const ports =
    container.ports === undefined ? {} : { ports: listOf(container, 'ports').map((port) => filled(port, { protocol: 'TCP' })) };
  const env = container.env === undefined ? {} : { env: listOf(container, 'env').map(envDefaults) };
  const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((name) =>
    container[name] === undefined ? [] : [[name, probeDefaults(part(container, name))]],
  );
  return {
    ...filled(container, {
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      imagePullPolicy: isLatest ? 'Always' : 'IfNotPresent',
      resources: {},
    }),
    ...ports,
    ...env,
    ...Object.fromEntries(probes),
  };
}

function envDefaults(variable: Fields): Fields {
  const source = part(variable, 'valueFrom');
  if (source.fieldRef === undefined) return variable;
  return { ...variable, valueFrom: { ...source, fieldRef: filled(part(source, 'fieldRef'), { apiVersion: 'v1' }) } };
}

function probeDefaults(probe: Fields): Fields {
  const withTimes = filled(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  return probe.httpGet === undefined
    ? withTimes
    : { ...withTimes, httpGet: filled(part(probe, 'httpGet'), { path: '/', scheme: 'HTTP' }) };
}

const FILE_MODE = 420;

function volumeDefaults(volume: Fields): Fields {
  const modes = ['configMap', 'secret', 'downwardAPI', 'projected'].flatMap((name) =>
    volume[name] === undefined ? [] : [[name, filled(part(volume, name), { defaultMode: FILE_MODE })]],
  );
  return { ...volume, ...Object.fromEntries(modes) };
}
