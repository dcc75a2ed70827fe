export { type CarryOutOptions, carryOut } from './carry-out.ts';
export { type Executed, type ExecuteOptions, executeStep } from './execute.ts';
export { type FleetMember, type FleetPlanInput, type ObjectPlan, planFleet } from './fleet-plan.ts';
export { type InstallOptions, installTypes } from './install.ts';
export { PropagationController, type PropagationOptions } from './propagation.ts';
