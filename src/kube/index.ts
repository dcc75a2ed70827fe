export { bytesSchema, conditionsSchema, timeSchema } from './condition-schema.ts';
export { structuralSchema } from './crd.ts';
export { type DefinedResource, defineResource, type Resource, type ResourceDefinition, shapeError } from './define-resource.ts';
// biome-ignore lint/performance/noReExportAll: the names are listed there, by hand.
export * from './plain/index.ts';
export { labelSelectorSchema } from './selectors/index.ts';
