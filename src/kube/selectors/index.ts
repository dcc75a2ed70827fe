export {
  type FieldRequirement,
  formatFieldSelector,
  matchesFields,
  parseFieldSelector,
} from './field-selector.ts';
export {
  type LabelOperator,
  type LabelRequirement,
  type LabelRequirements,
  type LabelSelector,
  matchesLabels,
  requirementsOf,
} from './label-selector.ts';
export { labelSelectorSchema } from './label-selector-schema.ts';
export { formatLabelSelector, parseLabelSelector } from './parse-labels.ts';
