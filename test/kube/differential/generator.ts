import { applyMergePatch } from '../../../src/kube/index.ts';
import { BUILT_IN } from './built-in.ts';
import { CUSTOM } from './custom.ts';
import { Dice } from './dice.ts';
import { type Body, type Fields, objectPath, type Step } from './step.ts';
import { APPLIED_METADATA, METADATA, metadataPatches, type Subject, WRONG_METADATA } from './subject.ts';

const SUBJECTS: readonly Subject[] = [...BUILT_IN, ...CUSTOM];

/** What of the operations a run makes use of. */
export interface Repertoire {
  readonly subjects: readonly Subject[];
  readonly collections: boolean;
  readonly scale: boolean;
  readonly propagation: boolean;
  /** Fields that stand twice in a body. */
  readonly twice: boolean;
  /** Parameters that no write takes. */
  readonly badOptions: boolean;
}

/** All of it. */
const EVERYTHING: Repertoire = {
  subjects: SUBJECTS,
  collections: true,
  scale: true,
  propagation: true,
  twice: true,
  badOptions: true,
};

/** The steps of a sequence: nothing but its seed, its length and the repertoire decides on them. */
export function sequenceOf(seed: number, length: number, repertoire: Repertoire = EVERYTHING): readonly Step[] {
  return new Generator(new Dice(seed), repertoire).steps(length);
}

const MANAGERS = ['anna', 'bob', 'carl'] as const;
const JSON_TYPE = 'application/json';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const PARTIAL = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
const PARTIAL_LIST = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';

type Query = Record<string, string>;

class Generator {
  readonly #dice: Dice;
  readonly #repertoire: Repertoire;
  readonly #subjects: readonly Subject[];
  /** Collections in which a name has been made up: two such names would be in any order. */
  readonly #generated = new Set<string>();

  constructor(dice: Dice, repertoire: Repertoire) {
    this.#dice = dice;
    this.#repertoire = repertoire;
    this.#subjects = dice.some(repertoire.subjects, 1, 2);
  }

  steps(length: number): readonly Step[] {
    const first = this.#subjects.flatMap((subject) => subject.names.slice(0, 1).map((name) => this.#create(subject, name, 0)));
    const rest = Array.from({ length: Math.max(0, length - first.length) }, () => this.#step(this.#dice.pick(this.#subjects)));
    return [...first, ...rest].slice(0, length);
  }

  #step(subject: Subject): Step {
    const missing = subject.kind === 'Namespace' ? '{{run}}-missing' : 'missing';
    const name = this.#dice.percent(3) ? missing : this.#dice.pick(subject.names);
    const { scale, collections } = this.#repertoire;
    const act = this.#dice.weighted<() => Step>([
      [14, () => this.#create(subject, name, 20)],
      [2, () => this.#generate(subject)],
      [13, () => this.#replace(subject, name)],
      [10, () => this.#jsonPatch(subject, name)],
      [13, () => this.#mergePatch(subject, name)],
      [subject.strategic.length > 0 ? 8 : 1, () => this.#strategicPatch(subject, name)],
      [22, () => this.#apply(subject, name)],
      [subject.status.length > 0 ? 10 : 0, () => this.#status(subject, name)],
      [scale ? 3 : 0, () => this.#scale(subject, name)],
      [7, () => this.#delete(subject, name)],
      [collections ? 2 : 0, () => this.#deleteAll(subject)],
      [4, () => this.#get(subject, name)],
      [10, () => this.#list(subject)],
      [4, () => this.#watch(subject)],
    ]);
    return act();
  }

  // Writes

  #create(subject: Subject, name: string, wrong: number): Step {
    const object = this.#object(subject, name, wrong);
    const path = this.#collection(subject);
    const versioned = { ...object, apiVersion: this.#dice.percent(98) ? this.#versionAt(subject, path) : subject.apiVersion };
    return { method: 'POST', path, query: this.#options(), type: JSON_TYPE, body: this.#encoded(versioned) };
  }

  #generate(subject: Subject): Step {
    const isFirst = !this.#generated.has(subject.collection);
    this.#generated.add(subject.collection);
    const object = this.#object(subject, '', 0);
    const query = { ...this.#options(), ...(isFirst && subject.kind !== 'Namespace' ? {} : { dryRun: 'All' }) };
    const metadata = { ...(object.metadata as Fields), generateName: 'gen-' };
    return { method: 'POST', path: subject.collection, query, type: JSON_TYPE, body: { json: { ...object, metadata } } };
  }

  #replace(subject: Subject, name: string): Step {
    const collection = this.#collection(subject);
    const path = objectPath(collection, name);
    const change = this.#change(subject, 12);
    const known = objectPath(subject.collection, name);
    const version = this.#dice.weighted<Fields>([
      [70, {}],
      [10, { resourceVersion: `{{old ${known}}}` }],
      [12, { resourceVersion: null }],
      [3, { resourceVersion: '1' }],
      [2, { resourceVersion: 'text' }],
      [3, { uid: '99999999-1111-4111-8111-999999999999' }],
    ]);
    const body: Body = this.#dice.percent(85)
      ? { last: known, change: merged(change, { apiVersion: this.#versionAt(subject, collection), metadata: version }) }
      : this.#encoded(withMetadata(this.#object(subject, name, 10), version));
    return { method: 'PUT', path, query: this.#options(), type: JSON_TYPE, body };
  }

  #jsonPatch(subject: Subject, name: string): Step {
    const patch = this.#dice.pick([...subject.json, ...subject.json, ...metadataPatches(subject.kind)]);
    return this.#patch(subject, name, 'application/json-patch+json', patch);
  }

  #mergePatch(subject: Subject, name: string): Step {
    const change = this.#change(subject, 15);
    const extra = this.#dice.weighted<Fields>([
      [85, {}],
      [4, { metadata: { resourceVersion: `{{rv ${objectPath(subject.collection, name)}}}` } }],
      [4, { metadata: { resourceVersion: `{{old ${objectPath(subject.collection, name)}}}` } }],
      [2, { metadata: { uid: '99999999-1111-4111-8111-999999999999' } }],
      [1, { kind: 'Other' }],
      [1, { apiVersion: 'other/v1' }],
      [1, { kind: null }],
      [2, { metadata: { managedFields: [] } }],
      [1, { metadata: { managedFields: [{}] } }],
    ]);
    return this.#patch(subject, name, 'application/merge-patch+json', merged(change, extra));
  }

  #strategicPatch(subject: Subject, name: string): Step {
    const patch = this.#dice.percent(70) ? this.#dice.pick([...subject.strategic, {}]) : this.#change(subject, 10);
    return this.#patch(subject, name, 'application/strategic-merge-patch+json', patch);
  }

  #patch(subject: Subject, name: string, type: string, json: unknown): Step {
    const path = objectPath(this.#collection(subject), name);
    return { method: 'PATCH', path, query: this.#options(), type, body: this.#encoded(json) };
  }

  #apply(subject: Subject, name: string): Step {
    const collection = this.#collection(subject);
    const needed = this.#dice.percent(60) ? subject.base : {};
    const pieces = this.#dice.some(subject.applied, 0, 2).reduce<Fields>((all, piece) => merged(all, piece), needed);
    // Custom resources keep an empty list that is applied to their metadata where nobody sees it, until the next write.
    const common =
      subject.strategic.length > 0 ? APPLIED_METADATA : APPLIED_METADATA.filter(({ finalizers }) => !isEmpty(finalizers));
    const metadata = { name, ...(this.#dice.percent(40) ? this.#dice.pick(common) : {}) };
    const extra = this.#dice.weighted<Fields>([
      [86, {}],
      [3, this.#dice.pick(subject.wrong)],
      [3, this.#dice.pick(subject.unknown)],
      [2, { metadata: { resourceVersion: `{{rv ${objectPath(subject.collection, name)}}}` } }],
      [2, { metadata: { uid: '99999999-1111-4111-8111-999999999999' } }],
      [2, { metadata: { managedFields: [{}] } }],
      [2, { metadata: this.#dice.pick(APPLIED_WRONG_METADATA) }],
    ]);
    // Of several things that are wrong, a real server tells those that it comes to first, in no order.
    const others = subject.unknown.includes(extra) || subject.wrong.includes(extra) ? needed : pieces;
    const body = deepMerged({ apiVersion: this.#versionAt(subject, collection), kind: subject.kind, metadata, ...others }, extra);
    const options = this.#options();
    const query: Query = {
      ...options,
      fieldManager: this.#dice.pick(MANAGERS),
      ...(this.#dice.percent(35) ? { force: 'true' } : {}),
    };
    if (this.#dice.percent(2)) delete query.fieldManager;
    // To apply the status of a Service that isn't there creates it on a real server.
    const isStatus = subject.status.length > 0 && subject.kind !== 'Service' && this.#dice.percent(15);
    const status = isStatus ? { status: this.#dice.pick(subject.status) } : {};
    const path = `${objectPath(collection, name)}${isStatus ? '/status' : ''}`;
    return { method: 'PATCH', path, query, type: 'application/apply-patch+yaml', body: this.#encoded({ ...body, ...status }) };
  }

  #status(subject: Subject, name: string): Step {
    const collection = this.#collection(subject);
    const path = `${objectPath(collection, name)}/status`;
    const status = this.#dice.percent(90) ? { status: this.#dice.pick([...subject.status, null]) } : { status: 'text' };
    const change = merged(status, this.#dice.percent(25) ? this.#change(subject, 0) : {});
    if (this.#dice.percent(50)) {
      const type = this.#dice.percent(25) ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json';
      return { method: 'PATCH', path, query: this.#options(), type, body: { json: change } };
    }
    const apiVersion = this.#versionAt(subject, collection);
    const body: Body = { last: objectPath(subject.collection, name), change: { apiVersion, ...change } };
    return { method: this.#dice.percent(10) ? 'GET' : 'PUT', path, query: this.#options(), type: JSON_TYPE, body };
  }

  #scale(subject: Subject, name: string): Step {
    const path = `${objectPath(this.#collection(subject), name)}/scale`;
    const spec = this.#dice.pick<Fields>([{ replicas: 2 }, { replicas: 0 }, {}, { replicas: -1 }, { replicas: 'x' }]);
    const metadata = { name, ...(subject.kind === 'Namespace' ? {} : { namespace: '{{ns}}' }) };
    const version = this.#dice.percent(20) ? { resourceVersion: `{{old ${objectPath(subject.collection, name)}}}` } : {};
    const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { ...metadata, ...version }, spec };
    const method = this.#dice.pick(['GET', 'PUT', 'PUT', 'PATCH', 'PATCH'] as const);
    if (method === 'GET') return { method, path, query: {} };
    const type = method === 'PUT' ? JSON_TYPE : 'application/merge-patch+json';
    return { method, path, query: this.#options(), type, body: { json: method === 'PUT' ? scale : { spec } } };
  }

  #delete(subject: Subject, name: string): Step {
    const known = objectPath(subject.collection, name);
    const body = this.#dice.weighted<Fields | undefined>([
      [50, undefined],
      [8, { preconditions: { uid: `{{uid ${known}}}` } }],
      [6, { preconditions: { uid: '99999999-1111-4111-8111-999999999999' } }],
      [8, { preconditions: { resourceVersion: `{{rv ${known}}}` } }],
      [8, { preconditions: { resourceVersion: `{{old ${known}}}` } }],
      [6, { dryRun: ['All'] }],
      [6, { propagationPolicy: 'Background' }],
      [this.#repertoire.propagation ? 6 : 0, { propagationPolicy: 'Foreground' }],
      [this.#repertoire.propagation ? 6 : 0, { propagationPolicy: 'Orphan' }],
      [2, { gracePeriodSeconds: 0 }],
    ]);
    const path = objectPath(this.#collection(subject), name);
    return {
      method: 'DELETE',
      path,
      query: {},
      type: JSON_TYPE,
      ...(body === undefined ? {} : { body: { json: options(body) } }),
    };
  }

  #deleteAll(subject: Subject): Step {
    const query: Query = { labelSelector: subject.kind === 'Namespace' ? 'run={{run}}' : this.#dice.pick(LABELS) };
    return { method: 'DELETE', path: this.#collection(subject), query };
  }

  // Reads

  #get(subject: Subject, name: string): Step {
    const accept = this.#dice.pick([JSON_TYPE, JSON_TYPE, TABLE, PARTIAL]);
    return { method: 'GET', path: objectPath(this.#collection(subject), name), query: {}, accept };
  }

  #list(subject: Subject): Step {
    const accept = this.#dice.pick([JSON_TYPE, JSON_TYPE, JSON_TYPE, TABLE, PARTIAL_LIST]);
    const query = { ...this.#selection(subject), ...this.#versions(subject) };
    // Behind a limited page there are the namespaces of other sequences.
    const isShared = subject.kind === 'Namespace';
    const limit: Query = !isShared && this.#dice.percent(40) ? { limit: this.#dice.pick(['1', '2', '500']) } : {};
    const token: Query =
      !isShared && this.#dice.percent(15) ? { limit: '1', continue: `{{continue ${subject.collection}}}` } : {};
    return { method: 'GET', path: this.#collection(subject), query: { ...query, ...limit, ...token }, accept };
  }

  #selection(subject: Subject): Query {
    // Other sequences have namespaces, too.
    if (subject.kind === 'Namespace') return { labelSelector: 'run={{run}}' };
    return {
      ...(this.#dice.percent(30) ? { labelSelector: this.#dice.pick(LABELS) } : {}),
      ...(this.#dice.percent(20) ? { fieldSelector: this.#dice.pick([...subject.fieldSelectors, 'a=', 'metadata.name']) } : {}),
    };
  }

  #versions(subject: Subject): Query {
    const listed = `{{listed ${subject.collection}}}`;
    const seen = `{{rv ${objectPath(subject.collection, subject.names[0] ?? '')}}}`;
    return this.#dice.weighted<Query>([
      [60, {}],
      [6, { resourceVersion: '0' }],
      [5, { resourceVersion: '0', resourceVersionMatch: 'NotOlderThan' }],
      [3, { resourceVersion: '0', resourceVersionMatch: 'Exact' }],
      [6, { resourceVersion: seen, resourceVersionMatch: 'Exact' }],
      [6, { resourceVersion: listed, resourceVersionMatch: 'Exact' }],
      [5, { resourceVersion: seen, resourceVersionMatch: 'NotOlderThan' }],
      [3, { resourceVersion: listed }],
      [2, { resourceVersionMatch: 'Exact' }],
      [2, { resourceVersion: 'text' }],
      [this.#repertoire.badOptions ? 1 : 0, { resourceVersion: '0', resourceVersionMatch: 'Foo' }],
    ]);
  }

  #watch(subject: Subject): Step {
    const listed = `{{listed ${subject.collection}}}`;
    const seen = `{{rv ${objectPath(subject.collection, subject.names[0] ?? '')}}}`;
    const version = this.#dice.weighted<Query>([
      [25, {}],
      [15, { resourceVersion: '0' }],
      [20, { resourceVersion: listed }],
      [20, { resourceVersion: seen }],
      [10, { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: 'true' }],
      [5, { sendInitialEvents: 'false', resourceVersionMatch: 'NotOlderThan', resourceVersion: seen }],
      [2, { sendInitialEvents: 'true' }],
      [2, { resourceVersionMatch: 'NotOlderThan' }],
      [1, { resourceVersion: 'text' }],
    ]);
    const query = { watch: 'true', ...this.#selection(subject), ...version };
    const accept = this.#dice.pick([JSON_TYPE, JSON_TYPE, TABLE, PARTIAL]);
    return { method: 'GET', path: this.#collection(subject), query, accept, watch: true };
  }

  // Parts

  #collection(subject: Subject): string {
    const { versions = [], collection } = subject;
    if (versions.length > 0 && this.#dice.percent(25)) return this.#dice.pick(versions)[1];
    if (subject.kind !== 'Namespace' && this.#dice.percent(1)) return collection.replace('{{ns}}', 'no-such-namespace');
    return collection;
  }

  #versionAt({ versions = [], apiVersion }: Subject, collection: string): string {
    return versions.find(([, path]) => path === collection)?.[0] ?? apiVersion;
  }

  #object(subject: Subject, name: string, wrong: number): Fields {
    const change = this.#change(subject, wrong);
    const body = { apiVersion: subject.apiVersion, kind: subject.kind, metadata: name === '' ? {} : { name } };
    const labels = subject.kind === 'Namespace' ? { metadata: { labels: { run: '{{run}}' } } } : {};
    // Nulls of changes take something away; in a new object some of them stay as they are.
    return merged(merged(merged({ ...body, ...subject.base }, labels), change), {}) as Fields;
  }

  #change(subject: Subject, wrong: number): Fields {
    const pieces: Fields[] = [...this.#dice.some(subject.changes, 0, 2)];
    if (this.#dice.percent(30)) pieces.push({ metadata: this.#dice.pick(METADATA) });
    if (this.#dice.percent(wrong)) {
      pieces.push(this.#dice.percent(65) ? this.#dice.pick(subject.wrong) : { metadata: this.#dice.pick(WRONG_METADATA) });
    }
    if (this.#dice.percent(5)) pieces.push(this.#dice.pick(subject.unknown));
    return pieces.reduce<Fields>((all, piece) => deepMerged(all, piece), {});
  }

  #options(): Query {
    const validation = this.#dice.weighted([
      [55, undefined],
      [20, 'Strict'],
      [12, 'Warn'],
      [12, 'Ignore'],
      [this.#repertoire.badOptions ? 1 : 0, 'Never'],
    ] as const);
    return {
      ...(validation === undefined ? {} : { fieldValidation: validation }),
      ...(this.#dice.percent(6) ? { dryRun: this.#repertoire.badOptions && this.#dice.percent(10) ? 'Some' : 'All' } : {}),
      ...(this.#dice.percent(40) ? { fieldManager: this.#dice.pick(MANAGERS) } : {}),
    };
  }

  /** Most bodies as they are; a few with a field that stands there twice. */
  #encoded(object: unknown): Body {
    if (!this.#repertoire.twice || !this.#dice.percent(2)) return { json: object };
    const text = JSON.stringify(object);
    return { text: text.startsWith('{"') ? `{"kind":"Twice",${text.slice(1)}` : text.replace('[{', '[{"op":"test",') };
  }
}

const LABELS = ['app=web', 'app!=web', 'app in (web,db),tier', '!app', 'tier=front', 'app=,', 'app in', ''] as const;

const options = (fields: Fields): Fields => ({ kind: 'DeleteOptions', apiVersion: 'v1', ...fields });
const withMetadata = (object: Fields, metadata: Fields): Fields => ({
  ...object,
  metadata: { ...(object.metadata as Fields), ...metadata },
});

const merged = (target: Fields, patch: Fields): Fields => applyMergePatch(target as never, patch as never) as Fields;

/** Both patches in one: nulls stay. */
function deepMerged(a: Fields, b: Fields): Fields {
  const result: Record<string, unknown> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const other = result[name];
    result[name] = isFields(value) && isFields(other) ? deepMerged(other, value) : value;
  }
  return result;
}

/** What is applied to a new object stays, even where a plain creation would leave it out; in a dry run a selfLink, too. */
const APPLIED_WRONG_METADATA = WRONG_METADATA.filter((each) => !('deletionTimestamp' in each) && !('selfLink' in each));

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
