/** What can happen to links: which of them, and what they do. */
import type { Random } from '../simulation/random.js';
import type { Fault, Harm } from './fault.js';
import { shuffled } from './fault.js';
import type { Fleet, Way } from './fleet.js';
import type { Weather } from './proxy.js';
import { clear } from './proxy.js';

/** Which links: the ones from a node to another for which it holds. */
type Shape = (others: readonly string[], first: string, random: Random) => (way: Way) => boolean;

/** `first` is often the leader; the ids are those of the others. */
const shapes: Readonly<Record<string, Shape>> = {
  'one node alone': (_, first) => (way) => way.from === first || way.to === first,
  'one node unheard': (_, first) => (way) => way.from === first,
  'one node deaf': (_, first) => (way) => way.to === first,
  'two halves': (others, first, random) => {
    const half = new Set([first, ...others.slice(0, random.between(0, others.length - 2))]);
    return (way) => half.has(way.from) !== half.has(way.to);
  },
  'two nodes of all': (others, first) => {
    const pair = new Set([first, others[0]]);
    return (way) => pair.has(way.from) && pair.has(way.to);
  },
  /** The first one still reaches everybody, who do not reach each other but in their half. */
  bridge: (others, first) => {
    const half = new Set(others.slice(0, Math.ceil(others.length / 2)));
    return ({ from, to }) => from !== first && to !== first && half.has(from) !== half.has(to);
  },
  'some links': (_, __, random) => () => random.chance(0.4),
  'all links': () => () => true,
};

type WeatherOf = (random: Random) => Weather;

const weathers: Readonly<Record<string, WeatherOf>> = {
  cut: () => ({ type: 'cut' }),
  held: () => ({ type: 'held' }),
  'half open': () => ({ type: 'swallowed' }),
  slow: (random) => ({
    type: 'slow',
    delayMs: random.between(5, 250),
    spreadMs: random.between(0, 250),
  }),
};

function chosen({ fleet, random }: Harm, shape: Shape): readonly Way[] {
  const first = leaderOr(fleet, random);
  const others = fleet.ids.filter((id) => id !== first);
  return fleet.ways.filter(shape(shuffled(others, random), first, random));
}

function leaderOr({ leader, ids }: Fleet, random: Random): string {
  const any = random.pick(ids) ?? '';
  return random.chance(0.5) ? (leader ?? any) : any;
}

function told({ fleet }: Harm, what: string, ways: readonly Way[]): void {
  fleet.note(`${what}: ${ways.map(({ from, to }) => `${from}→${to}`).join()}`);
}

function badWeather(kind: string, shape: Shape, weatherOf: WeatherOf): Fault {
  return {
    name: kind,
    run: async (harm) => {
      const ways = chosen(harm, shape);
      const weather = weatherOf(harm.random);
      told(harm, `${kind} ${JSON.stringify(weather)}`, ways);
      for (const { link } of ways) link.set(weather);
      await harm.pause(500, 5000);
      for (const { link } of ways) link.set(clear);
    },
  };
}

/** Connections are lost, and can be had again at once: over and over. */
const losses: Fault = {
  name: 'lost connections',
  run: async (harm) => {
    const ways = chosen(harm, () => () => harm.random.chance(0.5));
    told(harm, 'lost connections', ways);
    for (let times = harm.random.between(5, 15); times > 0; times -= 1) {
      harm.random.pick(ways)?.link.reset();
      await harm.pause(20, 400);
    }
  },
};

/** Each shape with each weather. */
export const linkFaults: readonly Fault[] = [
  losses,
  ...Object.entries(shapes).flatMap(([where, shape]) =>
    Object.entries(weathers).map(([how, weatherOf]) =>
      badWeather(`${where} ${how}`, shape, weatherOf),
    ),
  ),
];
