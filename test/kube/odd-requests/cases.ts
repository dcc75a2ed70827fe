import { METHODS, PATHS, QUERIES } from './addresses.ts';
import { BODIES } from './bodies.ts';
import type { Named } from './build.ts';
import { HEADERS } from './headers.ts';
import { PATCHES } from './patches.ts';

/** Requests that no well-behaved client makes, and some that are only rare. Writes are dry runs. */
export const ODD: Readonly<Record<string, Named>> = {
  paths: PATHS,
  methods: METHODS,
  queries: QUERIES,
  bodies: BODIES,
  patches: PATCHES,
  headers: HEADERS,
};
