/** Time, and nothing else of the runtime: offline clusters need no more, and load quickly. */

export { type Cancel, type Clock, nextTurn, sleep, systemClock, timestamp } from '../clock.ts';
export { milliseconds } from '../duration.ts';
