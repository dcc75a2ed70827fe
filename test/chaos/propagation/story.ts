import fc from 'fast-check';
import { type Event as Common, deletion, happenings, MEMBERS } from '../../unit/controllers/random.ts';
import { FAULTS } from '../runtime/fault.ts';

export const REPLICAS = [0, 1, 2] as const;

/** Something that happens: to objects and members, or to clusters and replicas. */
export type Event =
  | { readonly does: 'common'; readonly event: Common }
  | { readonly does: 'break'; readonly cluster: string; readonly how: (typeof FAULTS)[number] }
  | { readonly does: 'mend'; readonly cluster: string }
  | { readonly does: 'kill'; readonly replica: number; readonly steps: number }
  | { readonly does: 'start' | 'stop'; readonly replica: number };

const anyCluster = fc.constantFrom('host', ...MEMBERS);
const replica = fc.constantFrom(...REPLICAS);
const common = fc.oneof(...happenings, deletion, fc.record({ does: fc.constant('compact' as const), cluster: anyCluster }));

/** What may happen, one thing after the other. */
export const story: fc.Arbitrary<readonly Event[]> = fc.array(
  fc.oneof(
    { arbitrary: fc.record({ does: fc.constant('common' as const), event: common }), weight: 14 },
    { arbitrary: fc.record({ does: fc.constant('mend' as const), cluster: anyCluster }), weight: 2 },
    {
      arbitrary: fc.record({ does: fc.constant('break' as const), cluster: anyCluster, how: fc.constantFrom(...FAULTS) }),
      weight: 3,
    },
    { arbitrary: fc.record({ does: fc.constant('kill' as const), replica, steps: fc.integer({ min: 0, max: 60 }) }), weight: 3 },
    { arbitrary: fc.record({ does: fc.constantFrom('start' as const, 'start', 'stop'), replica }), weight: 3 },
  ),
  { minLength: 5, maxLength: 40 },
);
