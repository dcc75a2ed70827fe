import { APPLY_BEHAVIOURS } from './apply.ts';
import type { Behaviour } from './behaviour.ts';
import { BUILT_IN_BEHAVIOURS } from './built-ins.ts';
import { CEL_BEHAVIOURS } from './cel.ts';
import { CUSTOM_BEHAVIOURS } from './custom.ts';
import { DELETION_BEHAVIOURS } from './deletion.ts';
import { EVENT_BEHAVIOURS } from './events.ts';
import { LIST_BEHAVIOURS } from './lists.ts';
import { OBJECT_BEHAVIOURS } from './objects.ts';
import { PATCH_BEHAVIOURS } from './patches.ts';
import { SCALE_BEHAVIOURS } from './scale.ts';
import { WRITE_BEHAVIOURS } from './writes.ts';

export type { Behaviour, BehaviourContext } from './behaviour.ts';

/** What every cluster behind the port does. Real API servers pass all of it; offline clusters enter nothing that isn't here. */
export const BEHAVIOURS: readonly Behaviour[] = [
  ...OBJECT_BEHAVIOURS,
  ...BUILT_IN_BEHAVIOURS,
  ...PATCH_BEHAVIOURS,
  ...APPLY_BEHAVIOURS,
  ...LIST_BEHAVIOURS,
  ...CUSTOM_BEHAVIOURS,
  ...CEL_BEHAVIOURS,
  ...DELETION_BEHAVIOURS,
  ...EVENT_BEHAVIOURS,
  ...SCALE_BEHAVIOURS,
  ...WRITE_BEHAVIOURS,
];
