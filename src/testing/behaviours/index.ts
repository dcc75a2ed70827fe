import type { Behaviour } from './behaviour.ts';
import { OBJECT_BEHAVIOURS } from './objects.ts';

export type { Behaviour, BehaviourContext } from './behaviour.ts';

/** What every cluster behind the port does. Real API servers pass all of it; offline clusters enter nothing that isn't here. */
export const BEHAVIOURS: readonly Behaviour[] = [...OBJECT_BEHAVIOURS];
