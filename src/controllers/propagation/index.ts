export { type Executed, type ExecuteOptions, executeStep } from './execute.ts';
export { type InstallOptions, installTypes } from './install.ts';
export { PropagationController, type PropagationOptions } from './propagation.ts';
