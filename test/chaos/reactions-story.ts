import type { seededRandom } from '../../scripts/seeded-random.ts';
import type { Member } from './reactions-world.ts';

type Random = ReturnType<typeof seededRandom>;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The controller's side of the world, which events touch as well. */
export interface Scene {
  readonly members: readonly Member[];
  /** Clusters that can't be seen from where we are. */
  readonly unseen: Set<string>;
  /** Clusters that have left the set, though everything in them runs on. */
  readonly away: Set<string>;
  /** Nobody runs the controller. */
  isDown: boolean;
  /** By how much our clock is wrong. */
  skew: number;
  replicas: number;
}

export interface WorldEvent {
  readonly at: number;
  readonly what: string;
  readonly cluster?: string;
  /** When it is over, told by the event that it begins with. */
  readonly until?: number;
  readonly happen: (scene: Scene) => void;
}

/** Between two bounds, short ones as likely as long ones. */
const spread = (random: Random, from: number, to: number): number =>
  Math.round(from * (to / from) ** (random(1_000_000) / 1_000_000));

/** Draws what happens until the end; all of it has passed by then. */
export function drawStory(random: Random, scene: Scene, end: number, mostReplicas: number): WorldEvent[] {
  const events: WorldEvent[] = [];
  const mean = spread(random, 10 * MINUTE, 6 * HOUR);
  for (let at = spread(random, 10 * MINUTE, 2 * HOUR); at < end; at += spread(random, mean / 8, mean * 4)) {
    const index = random(scene.members.length);
    const member = scene.members[index];
    if (member !== undefined) events.push(...chapter(random, member, scene, at, end, mostReplicas));
  }
  return events.sort((a, b) => a.at - b.at);
}

function chapter(
  random: Random,
  member: Member,
  scene: Scene,
  at: number,
  end: number,
  mostReplicas: number,
): readonly WorldEvent[] {
  const until = Math.min(end, at + spread(random, 10_000, 4 * HOUR));
  const cluster = member.name;
  const episode = (what: string, begin: (s: Scene) => void, stop: (s: Scene) => void, to = until): WorldEvent[] => [
    { at, until: to, what, cluster, happen: begin },
    { at: to, what: `no longer ${what}`, cluster, happen: stop },
  ];
  const set = (field: 'isSilent' | 'isDead' | 'isSick' | 'isTainted', value: boolean) => (): void => {
    member[field] = value;
  };
  switch (random(14)) {
    case 0:
    case 1:
      return episode('silent', set('isSilent', true), set('isSilent', false));
    case 2:
    case 3:
      return episode('dead', set('isDead', true), set('isDead', false));
    case 4:
      return episode('sick', set('isSick', true), set('isSick', false));
    case 5:
      return episode('tainted', set('isTainted', true), set('isTainted', false));
    case 6: {
      const whole = member.capacity;
      const less = random(whole + 1);
      const resize = (capacity: number) => (): void => {
        member.capacity = capacity;
      };
      return episode('small', resize(less), resize(whole));
    }
    case 7: {
      const hidden = scene.members.filter((_, index) => random(5) > 0 || index === 0).map(({ name }) => name);
      const hide = ({ unseen }: Scene): void => hidden.forEach((name) => void unseen.add(name));
      const show = ({ unseen }: Scene): void => hidden.forEach((name) => void unseen.delete(name));
      return episode('cut off', hide, show, Math.min(end, at + spread(random, 30_000, HOUR)));
    }
    case 8: {
      const field = random(2) === 0 ? 'isSilent' : 'isSick';
      const times = 2 + random(12);
      const [on, off] = [spread(random, 15_000, 15 * MINUTE), spread(random, 15_000, 10 * MINUTE)];
      return Array.from({ length: times }, (_, turn) => at + turn * (on + off))
        .filter((start) => start + on < end)
        .flatMap((start) => [
          {
            at: start,
            ...(start === at && { until: at + times * (on + off) }),
            what: 'flaps',
            cluster,
            happen: set(field, true),
          },
          { at: start + on, what: 'no longer flaps', cluster, happen: set(field, false) },
        ]);
    }
    case 9: {
      const replicas = 1 + random(mostReplicas);
      return [{ at, what: 'scaled', happen: (s) => Object.assign(s, { replicas }) }];
    }
    case 10: {
      const down = (isDown: boolean) => (s: Scene) => void Object.assign(s, { isDown });
      return episode('without controller', down(true), down(false), Math.min(end, at + spread(random, 10_000, 20 * MINUTE)));
    }
    case 11: {
      const join = ({ away }: Scene): void => void away.delete(cluster);
      return episode('left', ({ away }) => void away.add(cluster), join, Math.min(end, at + spread(random, 5000, 2 * HOUR)));
    }
    case 12: {
      // Pods that crash again and again, and are ready in between.
      const times = 1 + random(20);
      const crash = (): void => {
        for (const pod of member.pods) if (random(2) === 0) pod.readyAt += spread(random, 1000, 2 * MINUTE);
      };
      return Array.from({ length: times }, (_, turn) => ({
        at: at + turn * 45_000,
        what: 'crashes',
        cluster,
        happen: crash,
      })).filter((each) => each.at < end);
    }
    default: {
      const by = spread(random, 5000, 30 * MINUTE) * (random(2) === 0 ? -1 : 1);
      return [{ at, what: 'clock set', happen: (s) => Object.assign(s, { skew: s.skew + by }) }];
    }
  }
}
