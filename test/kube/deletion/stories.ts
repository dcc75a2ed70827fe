import { COLLECTIONS } from './collection-stories.ts';
import { EVICTIONS } from './eviction-stories.ts';
import { ANSWERS, OPTIONS } from './option-stories.ts';
import type { Story } from './requests.ts';
import { CUSTOM, SCALES } from './scale-stories.ts';

/** What is asked of an offline cluster and of a real one. */
export const STORIES: readonly Story[] = [...OPTIONS, ANSWERS, ...COLLECTIONS, ...SCALES, CUSTOM, ...EVICTIONS];
