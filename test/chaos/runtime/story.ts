import fc from 'fast-check';
import { FAULTS } from './fault.ts';

export const MEMBERS = ['eu-1', 'eu-2', 'us-1', 'us-2'] as const;
export const NAMES = ['a', 'b', 'c'] as const;
export const REPLICAS = [0, 1, 2] as const;

/** Something that happens. */
export type Event =
  | { readonly does: 'write'; readonly name: string; readonly value: string }
  | { readonly does: 'delete'; readonly name: string }
  | { readonly does: 'edit' | 'remove' | 'squat'; readonly cluster: string; readonly name: string }
  | { readonly does: 'join' | 'leave' | 'mend' | 'compact'; readonly cluster: string }
  | { readonly does: 'break'; readonly cluster: string; readonly how: (typeof FAULTS)[number] }
  | { readonly does: 'kill'; readonly replica: number; readonly steps: number }
  | { readonly does: 'stall'; readonly replica: number; readonly ms: number }
  | { readonly does: 'start' | 'stop'; readonly replica: number }
  | { readonly does: 'wait'; readonly ms: number };

const member = fc.constantFrom(...MEMBERS);
const anyCluster = fc.constantFrom('host', ...MEMBERS);
const name = fc.constantFrom(...NAMES);
const replica = fc.constantFrom(...REPLICAS);

const write = fc.record({ does: fc.constant('write' as const), name, value: fc.constantFrom('x', 'y', 'z') });
const wait = fc.record({ does: fc.constant('wait' as const), ms: fc.constantFrom(0, 10, 500, 3_000, 15_000, 40_000, 160_000) });

/** What may happen, one thing after the other. */
export const story: fc.Arbitrary<readonly Event[]> = fc.array(
  fc.oneof(
    { arbitrary: write, weight: 4 },
    { arbitrary: wait, weight: 4 },
    { arbitrary: fc.record({ does: fc.constant('delete' as const), name }), weight: 2 },
    { arbitrary: fc.record({ does: fc.constantFrom('edit' as const, 'remove', 'squat'), cluster: member, name }), weight: 2 },
    { arbitrary: fc.record({ does: fc.constantFrom('join' as const, 'leave'), cluster: member }), weight: 2 },
    { arbitrary: fc.record({ does: fc.constantFrom('mend' as const, 'compact'), cluster: anyCluster }), weight: 2 },
    {
      arbitrary: fc.record({ does: fc.constant('break' as const), cluster: anyCluster, how: fc.constantFrom(...FAULTS) }),
      weight: 3,
    },
    { arbitrary: fc.record({ does: fc.constant('kill' as const), replica, steps: fc.integer({ min: 0, max: 30 }) }), weight: 2 },
    {
      arbitrary: fc.record({
        does: fc.constant('stall' as const),
        replica,
        ms: fc.constantFrom(1_000, 12_000, 14_000, 20_000, 60_000),
      }),
      weight: 2,
    },
    { arbitrary: fc.record({ does: fc.constantFrom('start' as const, 'start', 'stop'), replica }), weight: 3 },
  ),
  { minLength: 5, maxLength: 40 },
);
