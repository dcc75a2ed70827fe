import type { ObjectPlan } from '../controllers/propagation/index.ts';
import { MANAGED_LABEL, OWNER_ANNOTATION, type Step } from '../federation/index.ts';
import { type AnyObject, type Change, diff, formatReference, isRecord, masked, maskedChanges } from '../kube/index.ts';
import type { Federation } from './inputs.ts';
import { count, indent, toYaml } from './output.ts';
import type { Style, Terminal } from './terminal.ts';

/** A plan as data, for `-o json` and `-o yaml`. Values of Secrets are short hashes. */
export interface PlanReport {
  readonly objects: readonly PlannedObject[];
  readonly summary: Readonly<Record<Step['op'], number>>;
}

interface PlannedObject {
  /** The object in the members. */
  readonly object: { readonly apiVersion: string; readonly kind: string; readonly namespace?: string; readonly name: string };
  /** Where it is written: `file:line`. */
  readonly source: string;
  readonly steps: readonly PlannedStep[];
}

interface PlannedStep {
  readonly cluster: string;
  readonly op: Step['op'];
  readonly reason: string;
  /** What is in the way. */
  readonly code?: string;
  readonly mend?: string;
  /** What is created. */
  readonly create?: AnyObject;
  /** What is changed. */
  readonly changes?: readonly Change[];
}

/** Makes a report of plans. */
export function planReport(plans: readonly ObjectPlan[], { objects }: Federation): PlanReport {
  const sources = new Map(objects.map(({ prepared, manifest }) => [prepared, manifest.locate('')]));
  const summary = { create: 0, update: 0, delete: 0, release: 0, none: 0, blocked: 0 };
  const planned = plans
    .filter(({ steps }) => steps.length > 0)
    .map(({ decision, steps }): PlannedObject => {
      for (const { op } of steps) summary[op] += 1;
      const { target } = decision.prepared.type;
      const { namespace, name } = decision.prepared.object.metadata;
      return {
        object: {
          apiVersion: target.group === '' ? target.version : `${target.group}/${target.version}`,
          kind: target.kind,
          ...(target.scope === 'Namespaced' && namespace !== undefined ? { namespace } : {}),
          name,
        },
        source: sources.get(decision.prepared) ?? '',
        steps: steps.map(reportStep),
      };
    });
  return { objects: planned, summary };
}

function reportStep(step: Step): PlannedStep {
  const { cluster, op, reason } = step;
  if (step.op === 'create') return { cluster, op, reason, create: masked(step.object) };
  if (step.op === 'update') return { cluster, op, reason, changes: maskedChanges(step.type, step.changes) };
  if (step.op !== 'blocked') return { cluster, op, reason };
  return { cluster, op, reason, code: step.code, ...(step.mend === undefined ? {} : { mend: step.mend }) };
}

const LOOKS: Readonly<Record<Step['op'], { readonly sign: string; readonly word: string; readonly style: Style }>> = {
  create: { sign: '+', word: 'create', style: 'green' },
  update: { sign: '~', word: 'change', style: 'yellow' },
  delete: { sign: '-', word: 'delete', style: 'red' },
  release: { sign: '-', word: 'release', style: 'red' },
  none: { sign: '=', word: 'leave', style: 'dim' },
  blocked: { sign: '!', word: 'blocked', style: 'red' },
};

/** The plan as text: each object, each cluster, what is written there and why. */
export function planText({ objects, summary }: PlanReport, { style }: Pick<Terminal, 'style'>): string {
  const blocks = objects.map((planned) => objectText(planned, style));
  return [...blocks, summaryText(summary)].join('\n\n');
}

/** `12 to create, 1 to change, 4 as they should be` */
function summaryText(summary: PlanReport['summary']): string {
  const parts = [
    [summary.create, 'to create'],
    [summary.update, 'to change'],
    [summary.delete, 'to delete'],
    [summary.release, 'to release'],
    [summary.blocked, 'blocked'],
  ] as const;
  const said = parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  const total = Object.values(summary).reduce((sum, number) => sum + number, 0);
  if (said.length === 0)
    return `Nothing to do: ${count(total, 'object')} in members ${total === 1 ? 'is' : 'are'} as they should be.`;
  return `Plan: ${[...said, `${summary.none} left as they are`].join(', ')}.`;
}

function objectText({ object, source, steps }: PlannedObject, style: Terminal['style']): string {
  const lines = [`${style('bold', formatReference(object))}  ${style('dim', source)}`];
  const width = Math.max(...steps.map(({ cluster }) => cluster.length));
  const model = steps.find(({ create }) => create !== undefined);
  for (const step of steps) {
    const { sign, word, style: look } = LOOKS[step.op];
    const because = [step.code, step.reason].filter((part) => part !== undefined && part !== '').join(': ');
    const mend = step.mend === undefined ? '' : `; ${step.mend}`;
    lines.push(
      `  ${style(look, `${sign} ${step.cluster.padEnd(width)}  ${word}`)}${because === '' ? '' : `: ${because}${mend}`}`,
    );
    lines.push(...stepDetails(step, model, style));
  }
  return lines.join('\n');
}

function stepDetails(step: PlannedStep, model: PlannedStep | undefined, style: Terminal['style']): readonly string[] {
  if (step.changes !== undefined) return step.changes.map((change) => changeText(change, style));
  if (step.create === undefined || model?.create === undefined) return [];
  if (step === model) return [indent(toYaml(withoutMarks(step.create)).trimEnd(), 6)];
  const changes = diff(withoutMarks(model.create), withoutMarks(step.create));
  if (changes.length === 0) return [style('dim', `      as in ${model.cluster}`)];
  return [style('dim', `      as in ${model.cluster}, but`), ...changes.map((change) => changeText(change, style))];
}

/** Every object in a member carries the marks of management; to say so each time would hide the rest. */
function withoutMarks(object: AnyObject): AnyObject {
  const { [MANAGED_LABEL]: _label, ...labels } = object.metadata.labels ?? {};
  const { [OWNER_ANNOTATION]: _owner, ...annotations } = object.metadata.annotations ?? {};
  const { labels: _labels, annotations: _annotations, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
  };
}

function changeText({ path, before, after }: Change, style: Terminal['style']): string {
  if (before === undefined) return style('green', `      + ${path}${valueText(after)}`);
  if (after === undefined) return style('red', `      - ${path}${valueText(before)}`);
  if (isShort(before) && isShort(after)) return style('yellow', `      ~ ${path}: ${inline(before)} → ${inline(after)}`);
  return [style('red', `      - ${path}${valueText(before)}`), style('green', `      + ${path}${valueText(after)}`)].join('\n');
}

function valueText(value: unknown): string {
  return isShort(value) ? `: ${inline(value)}` : `:\n${indent(toYaml(value).trimEnd(), 10)}`;
}

const SHORT = 120;

function isShort(value: unknown): boolean {
  const isNested = Array.isArray(value) || isRecord(value);
  return inline(value).length <= (isNested ? SHORT / 4 : SHORT);
}

function inline(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}
