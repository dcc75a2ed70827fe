import type { Asked } from './ask.ts';

/** Requests that come one after the other, in a namespace of their own. */
export interface Story {
  readonly name: string;
  readonly asked: readonly Asked[];
}

export const CORE = '/api/v1/namespaces/NS';
export const APPS = '/apis/apps/v1/namespaces/NS';
const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';
const JSON_PATCH = 'application/json-patch+json';

export const get = (path: string): Asked => ({ method: 'GET', path });
export const post = (path: string, body: unknown): Asked => ({ method: 'POST', path, body });
export const put = (path: string, body: unknown): Asked => ({ method: 'PUT', path, body });
export const remove = (path: string, body?: unknown): Asked => ({
  method: 'DELETE',
  path,
  ...(body === undefined ? {} : { body }),
});
export const merge = (path: string, body: unknown): Asked => ({ method: 'PATCH', path, body, type: MERGE });
export const apply = (path: string, body: unknown): Asked => ({ method: 'PATCH', path, body, type: APPLY });
export const json = (path: string, body: unknown): Asked => ({ method: 'PATCH', path, body, type: JSON_PATCH });

export const map = (name: string, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
});
const container = { name: 'web', image: 'shop/web:1' };
export const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } };
export const selector = { matchLabels: { app: 'web' } };
export const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: { replicas: 2, selector, template },
};
export const pod = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: 'web' }, ...metadata },
  spec: { containers: [container], ...spec },
});
export const job = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'once' },
  spec: { template: { spec: { containers: [container], restartPolicy: 'Never' } } },
};
