export { type Cancel, type Clock, sleep, systemClock, timestamp } from './clock.ts';
