import type { AnyObject } from '../../kube/plain/index.ts';
import {
  type Behaviour,
  configMap,
  configMaps,
  deployment,
  deployments,
  fails,
  holds,
  namespaces,
  same,
  services,
} from './behaviour.ts';

const API = 'Kubernetes API concepts';

/** What is peculiar to the built-in kinds that federations carry most. */
export const BUILT_IN_BEHAVIOURS: readonly Behaviour[] = [
  {
    name: 'a Deployment gets its defaults',
    source: 'API: apps/v1 Deployment',
    async check({ cluster, namespace }) {
      const created = await cluster.create(deployments, deployment(namespace, 'web'));
      same(created.spec, {
        replicas: 1,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            containers: [
              {
                name: 'web',
                image: 'shop/web:1',
                ports: [{ containerPort: 80, protocol: 'TCP' }],
                resources: {},
                terminationMessagePath: '/dev/termination-log',
                terminationMessagePolicy: 'File',
                imagePullPolicy: 'IfNotPresent',
              },
            ],
            restartPolicy: 'Always',
            terminationGracePeriodSeconds: 30,
            dnsPolicy: 'ClusterFirst',
            securityContext: {},
            schedulerName: 'default-scheduler',
          },
        },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
      });
    },
  },
  {
    name: 'quantities are written in their canonical form',
    source: 'API: resource.Quantity',
    async check({ cluster, namespace }) {
      const container = { name: 'web', image: 'x', resources: { limits: { cpu: '1000m', memory: '1024Mi' } } };
      const spec = { template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } } };
      const created = await cluster.create(deployments, deployment(namespace, 'web', spec));
      const { resources, imagePullPolicy } = (created.spec as typeof spec & { template: { spec: { containers: AnyObject[] } } })
        .template.spec.containers[0] as unknown as { resources: unknown; imagePullPolicy: string };
      same(resources, { limits: { cpu: '1', memory: '1Gi' } });
      same(imagePullPolicy, 'Always', 'the pull policy of an image without a tag');
    },
  },
  {
    name: 'a Deployment must select its own pods, and its selector never changes',
    source: 'API: apps/v1 Deployment',
    async check({ cluster, namespace }) {
      await fails(
        () => cluster.create(deployments, deployment(namespace, 'web', { selector: { matchLabels: { app: 'other' } } })),
        {
          code: 'Invalid',
          status: 422,
          message:
            /spec\.template\.metadata\.labels: Invalid value: \{"app":"web"\}: `selector` does not match template `labels`/,
          issues: [{ field: 'spec.template.metadata.labels', reason: 'FieldValueInvalid' }],
        },
      );
      const created = await cluster.create(deployments, deployment(namespace, 'web'));
      const labels = { app: 'web', tier: 'x' };
      const spec = {
        ...(created.spec as object),
        selector: { matchLabels: labels },
        template: { ...deploymentTemplate(created), metadata: { labels } },
      };
      await fails(() => cluster.update(deployments, { ...created, spec }), {
        code: 'Invalid',
        status: 422,
        message: /spec\.selector: Invalid value: .*: field is immutable/,
      });
    },
  },
  {
    name: 'a Service gets an address and keeps it',
    source: 'API: core/v1 Service',
    async check({ cluster, namespace }) {
      const service: AnyObject = {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace, name: 'web' },
        spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
      };
      const created = await cluster.create(services, service);
      const { clusterIP, clusterIPs, ...spec } = created.spec as Record<string, unknown>;
      holds(/^10\.[0-9.]+$/.test(String(clusterIP)), 'an address');
      same(clusterIPs, [clusterIP]);
      same(spec, {
        ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
        selector: { app: 'web' },
        type: 'ClusterIP',
        sessionAffinity: 'None',
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        internalTrafficPolicy: 'Cluster',
      });
      const changed = await cluster.update(services, { ...service, spec: { selector: { app: 'web' }, ports: [{ port: 81 }] } });
      same((changed.spec as Record<string, unknown>).clusterIP, clusterIP, 'the address');
    },
  },
  {
    name: 'a namespace is labelled with its name and held by its finalizer',
    source: 'API: core/v1 Namespace',
    async check({ cluster, unique }) {
      const name = unique('ns');
      const created = await cluster.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      same(created.metadata.labels, { 'kubernetes.io/metadata.name': name });
      same(created.spec, { finalizers: ['kubernetes'] });
      same(created.status, { phase: 'Active' });
      same(await cluster.delete(namespaces, { name }), 'terminating');
    },
  },
  {
    name: 'nothing new comes into a namespace that is going away',
    source: API,
    async check({ cluster, unique }) {
      const name = unique('ns');
      await cluster.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      await cluster.create(configMaps, configMap(name, 'held', {}, { finalizers: ['example.com/hold'] }));
      await cluster.delete(namespaces, { name });
      await fails(() => cluster.create(configMaps, configMap(name, 'late')), {
        code: 'Forbidden',
        status: 403,
        message: `configmaps "late" is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
        issues: [{ field: 'metadata.namespace', reason: 'NamespaceTerminating' }],
      });
      await cluster.patch(
        configMaps,
        { namespace: name, name: 'held' },
        { type: 'merge', body: { metadata: { finalizers: null } } },
      );
    },
  },
];

function deploymentTemplate(object: AnyObject): object {
  return (object.spec as { template: object }).template;
}
