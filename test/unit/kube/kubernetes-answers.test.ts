import {
  ClustersetError,
  checkDns1035Label,
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabelKey,
  checkLabelValue,
  formatFieldSelector,
  formatQuantity,
  type LabelSelector,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
  parseQuantity,
  requirementsOf,
} from 'clusterset/kube';
import { describe, expect, it } from 'vitest';
import answers from '../../fixtures/kubernetes-answers.json' with { type: 'json' };

interface Answer {
  readonly about: string;
  readonly input: unknown;
  readonly labels?: Readonly<Record<string, string>>;
  readonly output?: unknown;
  readonly error?: string;
}

const OURS: Readonly<Record<string, (answer: Answer) => unknown>> = {
  labelSelector: ({ input, labels }) => matchesLabels(parseLabelSelector(input as string), labels),
  labelSelectorObject: ({ input, labels }) => matchesLabels(requirementsOf(input as LabelSelector), labels),
  fieldSelector: ({ input }) => formatFieldSelector(parseFieldSelector(input as string)),
  quantity: ({ input }) => formatQuantity(parseQuantity(input as string)),
  dnsLabel: ({ input }) => checkDnsLabel(input as string),
  dnsSubdomain: ({ input }) => checkDnsSubdomain(input as string),
  dns1035Label: ({ input }) => checkDns1035Label(input as string),
  labelKey: ({ input }) => checkLabelKey(input as string),
  labelValue: ({ input }) => checkLabelValue(input as string),
};

function ourAnswer(answer: Answer): Pick<Answer, 'output' | 'error'> {
  try {
    return { output: OURS[answer.about]?.(answer) };
  } catch (error) {
    if (error instanceof ClustersetError) return { error: error.detail };
    throw error;
  }
}

const NO_PROBLEMS: readonly string[] = [];

/** Answers of Kubernetes that we don't repeat, with the reason. */
const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {
  '1000E': 'Kubernetes has no suffix for 10^21 and writes "1", another amount',
};

describe.each(Object.keys(OURS))('%s answers as Kubernetes does', (about) => {
  const recorded = (answers as readonly Answer[]).filter(
    (answer) => answer.about === about && !Object.hasOwn(KNOWN_DIFFERENCES, String(answer.input)),
  );

  it.each(recorded.map((answer) => [JSON.stringify(answer.input).slice(0, 80), answer] as const))('%s', (_, answer) => {
    const isNameCheck = !about.endsWith('elector') && about !== 'quantity' && about !== 'labelSelectorObject';
    const expected =
      answer.error === undefined
        ? { output: answer.output ?? (isNameCheck ? NO_PROBLEMS : answer.output) }
        : { error: answer.error };
    expect(ourAnswer(answer)).toEqual(expected);
  });
});
