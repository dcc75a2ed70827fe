export { type Cancel, type Clock, nextTurn, sleep, systemClock, timestamp } from './clock.ts';
