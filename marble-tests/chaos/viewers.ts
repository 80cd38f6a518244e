/** All who look at the live page in a campaign, and whether they were told the truth. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeStatus } from '../../adapters/key-value/client-protocol.js';
import type { Send } from '../../adapters/page/link.js';
import type { Model } from '../../adapters/page/model.js';
import { isHeard } from '../../adapters/page/model.js';
import { program as built, until } from '../cluster/cluster.js';
import { Random } from '../simulation/random.js';
import { Views } from '../views/checker.js';
import { stamp } from './clock.js';
import type { Fleet } from './fleet.js';
import { heavyKeys } from './heavy-writer.js';
import { membersBy, Page } from './page.js';
import type { Manner, Sitting } from './visit.js';
import { visit } from './visit.js';

/** From the end of all harm, on a busy machine; where a fault is planted nobody waits so long. */
const agreedMs = 300_000;
const plantedMs = 30_000;

/** Nobody loads a page again at once. */
const pauseMs = 100;

/** More of what is wrong is not read by anybody. */
const mostFaults = 20;

const manners = {
  steady: { leavesMs: [60_000, 200_000], restsMs: null },
  restless: { leavesMs: [200, 5000], restsMs: null },
  slow: { leavesMs: [10_000, 60_000], restsMs: [100, 3000] },
  'very slow': { leavesMs: [20_000, 60_000], restsMs: [1000, 20_000] },
  /** While it does not read it asks, more than there is room for. */
  greedy: { leavesMs: [20_000, 60_000], restsMs: [2000, 8000] },
} satisfies Record<string, Manner>;

/** A page goes where the leader says, on the ways of the nodes; a line goes to a node directly. */
const kinds: readonly (readonly ['page' | 'lines', keyof typeof manners])[] = [
  ...([['page', 'steady'] as const, ['page', 'restless'], ['page', 'very slow']] as const),
  ...([['lines', 'steady'] as const, ['lines', 'slow'], ['lines', 'very slow']] as const),
  ['lines', 'greedy'],
];

/** In so much time so many reads. What they find is not looked at: others do that. */
const greedMs = 50;
const greed = 100;
/** Beyond what the page itself asks. */
const greedId = 1e9;

export class Viewers {
  private readonly views = new Views();
  private readonly viewers: readonly Viewer[];
  private readonly work: Promise<unknown>;
  private unwritten: string[] = [];

  constructor(
    private readonly fleet: Fleet,
    seed: number,
  ) {
    this.viewers = kinds.map(([kind, how], at) => {
      const name = `${how} ${kind}`;
      const random = new Random(seed + 5000 + at);
      const open = async (): Promise<Page | null> =>
        kind === 'page' ? this.load(name, random.pick(fleet.addresses) ?? '') : this.watch(name);
      const isGreedy = how === 'greedy';
      const follows = kind === 'page';
      return new Viewer({ name, fleet, random, open, follows, isGreedy, ...manners[how] });
    });
    const failed = (error: unknown): void => fleet.fault(String(error));
    this.work = Promise.all(this.viewers.map((viewer) => viewer.work().catch(failed)));
  }

  /** A page that is loaded from this node, if that is there. */
  async load(name: string, address: string): Promise<Page | null> {
    const members = await membersBy(address);
    return members && this.opened(name, members, true);
  }

  /** All nodes have the same: in time all who look see it. */
  async settled(): Promise<void> {
    const { fleet, viewers } = this;
    for (const viewer of viewers) viewer.calm();
    let wrong: string[] = [];
    const areRight = async (): Promise<boolean> => {
      const statuses = (await fleet.statuses()).filter((status) => status !== null);
      if (statuses.length < fleet.members.length) return false;
      wrong = viewers.flatMap((viewer) => viewer.wrong(statuses));
      return wrong.length === 0;
    };
    const patienceMs = fleet.program === built ? agreedMs : plantedMs;
    await until('all who look see the nodes as they are', areRight, patienceMs).catch(
      (error: unknown) => fleet.fault(`view: ${String(error)}: ${wrong.join('; ')}`),
    );
    await this.stop();
  }

  async stop(): Promise<void> {
    for (const viewer of this.viewers) viewer.stop();
    await this.work;
  }

  /** Notes as faults of the fleet what was not true, and says how much was told. */
  check(): string {
    const { fleet, views, viewers } = this;
    this.flush();
    const begin = performance.now();
    const faults = views.check();
    const checkedMs = Math.round(performance.now() - begin);
    for (const fault of faults.slice(0, mostFaults)) fleet.fault(`view: ${fault}`);
    const { frames, different, answers, tooSlow } = views.counts;
    const visits = viewers.reduce((sum, each) => sum + each.visits, 0);
    return [
      `${viewers.length} who look: ${frames} frames, ${different} of them different`,
      `${answers} answers, ${visits} visits on ${views.lineCount} lines`,
      `${tooSlow} cut off as too slow, checked in ${checkedMs} ms`,
    ].join(', ');
  }

  private watch(name: string): Page {
    const members = this.fleet.members.map(({ id, address }) => [id, address] as const);
    return this.opened(name, Object.fromEntries(members), false);
  }

  private opened(name: string, members: Readonly<Record<string, string>>, follows: boolean): Page {
    const onNew = (line: string, text: string): void => {
      this.unwritten.push(`{"heard":${stamp()},"line":${JSON.stringify(line)},"told":${text}}\n`);
      if (this.unwritten.length >= 500) this.flush();
    };
    return new Page({ name, views: this.views, members, follows, onNew });
  }

  private flush(): void {
    appendFileSync(join(this.fleet.folder, 'views.jsonl'), this.unwritten.join(''));
    this.unwritten = [];
  }
}

interface ViewerOptions extends Manner {
  readonly name: string;
  readonly fleet: Fleet;
  readonly random: Random;
  readonly open: () => Promise<Page | null>;
  /** Does it find by itself who comes and goes? */
  readonly follows: boolean;
  readonly isGreedy: boolean;
}

/** Somebody who looks at page after page. */
class Viewer {
  visits = 0;
  private page: Page | null = null;
  private isCalm = false;
  private isOver = false;

  constructor(private readonly options: ViewerOptions) {}

  async work(): Promise<void> {
    while (!this.isOver) {
      this.page = await this.options.open();
      if (this.page !== null) await this.look(this.page);
      this.page = null;
      await sleep(pauseMs);
    }
  }

  calm(): void {
    this.isCalm = true;
  }

  stop(): void {
    this.isOver = true;
  }

  /** What is not as these nodes say, in words. */
  wrong(statuses: readonly NodeStatus[]): string[] {
    const { name } = this.options;
    if (this.page === null) return [`${name} sees nothing`];
    return differences(this.page.model, statuses).map((each) => `${name} ${each}`);
  }

  private async look(page: Page): Promise<void> {
    const { fleet, follows, isGreedy, random, leavesMs, restsMs } = this.options;
    this.visits += 1;
    const begun = String(fleet.ids);
    const isElsewhere = (): boolean => !follows && String(fleet.ids) !== begun;
    await visit(sittingOf(page, isGreedy), {
      ...{ random, leavesMs, restsMs },
      isCalm: () => this.isCalm,
      mustLeave: () => this.isOver || isElsewhere(),
    });
  }
}

function sittingOf(page: Page, isGreedy: boolean): Sitting {
  let asking: NodeJS.Timeout | undefined;
  let id = greedId;
  const ask = (send: Send): void => {
    for (let times = greed; times > 0; times -= 1) {
      send({ type: 'get', id: (id += 1), key: heavyKeys[0] ?? '' });
    }
  };
  let ended = (): void => undefined;
  return {
    ended: new Promise<void>((resolve) => (ended = resolve)),
    pause: (isPaused) => {
      page.pause(isPaused);
      clearInterval(asking);
      const send = page.model.leader?.send ?? null;
      if (isPaused && isGreedy && send !== null) asking = setInterval(() => ask(send), greedMs);
    },
    end: () => {
      clearInterval(asking);
      page.end();
      ended();
    },
  };
}

function differences(model: Model, statuses: readonly NodeStatus[]): string[] {
  const ids = new Set(statuses.map(({ id }) => id));
  const gone = [...model.nodes.keys()].filter((id) => !ids.has(id));
  const leader = statuses.find(({ role }) => role === 'leader')?.id;
  const wrong = gone.map((id) => `still shows ${id}`);
  if (model.leader?.id !== leader) wrong.push(`is led by ${model.leader?.id}, not ${leader}`);
  for (const status of statuses) {
    const node = model.nodes.get(status.id);
    if (node === undefined) wrong.push(`does not know ${status.id}`);
    else if (!isHeard(node)) wrong.push(`does not hear ${status.id}`);
    else if (said(node.status) !== said(status)) {
      wrong.push(`sees ${status.id} as ${said(node.status)}, which is ${said(status)}`);
    }
  }
  return wrong;
}

type Seen = Pick<NodeStatus, 'pid' | 'role' | 'term' | 'leader' | 'commit' | 'applied' | 'keys'>;

function said({ pid, role, term, leader, commit, applied, keys }: Seen): string {
  const where = `${commit} committed, ${applied} applied, ${keys} keys`;
  return `${role} of term ${term}, led by ${leader}, ${where}, process ${pid}`;
}
