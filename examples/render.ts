/**
 * What would each cluster get? Needs no cluster: the fleet is a list, and rendering is a pure function.
 *
 * Run it with `node examples/render.ts`.
 */
import { readFileSync } from 'node:fs';
import { type ClusterEntry, type FederatedObject, planReplicas, render } from 'clusterset';
import { parse, parseAllDocuments, stringify } from 'yaml';

const shop = new URL('shop/', import.meta.url);
const fleet = parse(readFileSync(new URL('fleet.yaml', shop), 'utf8')) as readonly ClusterEntry[];
const documents = parseAllDocuments(readFileSync(new URL('app/30-web.yaml', shop), 'utf8')).map(
  (document) => document.toJS() as FederatedObject,
);
const web = documents.find(({ kind }) => kind === 'FederatedDeployment');
if (web === undefined) throw new Error('the shop has no FederatedDeployment');

const { shares } = planReplicas({
  key: 'shop/web',
  totalReplicas: 12,
  preferences: { 'eu-1': { weight: 2, maxReplicas: 7 }, '*': { weight: 1 } },
  candidates: fleet.map(({ name }) => name),
});
const replicas = new Map(shares.map((share) => [share.cluster, share.replicas]));

const { objects, issues } = render(web, fleet, { replicas });
for (const { field, message, mend } of issues) console.error(`${field}: ${message}; ${mend}`);
for (const { cluster, object } of objects) console.log(`# ${cluster}\n${stringify(object)}`);
