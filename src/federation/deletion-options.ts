import { isRecord } from '../kube/index.ts';
import { DELETE_OPTIONS_ANNOTATION, type FederatedObject } from './api.ts';
import type { RenderIssue } from './issue.ts';

/** What the annotation `kubefed.io/deleteoption` may say (API: meta/v1 DeleteOptions). */
export interface DeletionOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
}

const POLICIES = ['Foreground', 'Background', 'Orphan'] as const;

/**
 * How member objects are to be deleted. What can't be understood is an issue: deleting in another way than was asked for may lose something.
 * `preconditions` is accepted and ignored: a member object is only ever deleted by its own uid.
 */
export function deletionOptions(object: FederatedObject): {
  readonly options: DeletionOptions;
  readonly issues: readonly RenderIssue[];
} {
  const text = object.metadata.annotations?.[DELETE_OPTIONS_ANNOTATION];
  if (text === undefined) return { options: {}, issues: [] };
  const value = readJson(text);
  if (!isRecord(value)) return { options: {}, issues: [issue('is no JSON object')] };
  const { gracePeriodSeconds, propagationPolicy } = value;
  const policy = POLICIES.find((known) => known === propagationPolicy);
  const issues: RenderIssue[] = [];
  if (gracePeriodSeconds !== undefined && !(Number.isSafeInteger(gracePeriodSeconds) && Number(gracePeriodSeconds) >= 0)) {
    issues.push(issue(`gracePeriodSeconds is ${JSON.stringify(gracePeriodSeconds)}, not a number of seconds`));
  }
  if (propagationPolicy !== undefined && policy === undefined) {
    issues.push(issue(`propagationPolicy is ${JSON.stringify(propagationPolicy)}, none of ${POLICIES.join(', ')}`));
  }
  if (issues.length > 0) return { options: {}, issues };
  return {
    options: {
      ...(typeof gracePeriodSeconds === 'number' ? { gracePeriodSeconds } : {}),
      ...(policy === undefined ? {} : { propagationPolicy: policy }),
    },
    issues,
  };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function issue(message: string): RenderIssue {
  return {
    field: `metadata.annotations[${DELETE_OPTIONS_ANNOTATION}]`,
    message,
    mend: 'write it as in {"propagationPolicy": "Foreground"}',
  };
}
