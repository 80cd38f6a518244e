/** What can happen to the voters of replicas: others come, and some go. */
import type { Fault, Harm } from '../fault.js';
import type { Fleet } from '../fleet.js';
import type { Member } from '../member.js';
import { ask } from './ask.js';

/** The leader has its own patience with a change; whoever asked waits for that, and no longer. */
const answerMs = 15_000;
const mostTries = 12;

/** A change of voters, from the start of the one who comes to the end of the one who goes. */
interface Change {
  readonly coming: Member;
  readonly address: string;
  readonly leaving: Member;
  /** What is to be done, in this order. */
  readonly steps: readonly Step[];
}

type Step = 'announce' | 'add' | 'remove' | 'replace';

/** What is left to be done: a change is made to its end before there is another one. */
const begun = new WeakMap<Fleet, Change>();

async function nextChange({ fleet, random }: Harm): Promise<Change> {
  const leader = fleet.members.find(({ id }) => id === fleet.leader);
  const any = random.pick(fleet.members);
  const leaving = random.chance(0.5) ? (leader ?? any) : any;
  if (leaving === undefined) throw new Error('nobody is there to go');
  const { member: coming, address } = await fleet.enlist();
  const isOneStep = random.chance(0.5);
  const steps: readonly Step[] = isOneStep ? ['replace'] : ['add', 'remove'];
  return { coming, address, leaving, steps: ['announce', ...steps] };
}

/** Asks one node after the other until it is done. Asking again is harmless. */
async function isDone(harm: Harm, change: Change, step: Step): Promise<boolean> {
  const { fleet, random } = harm;
  const { coming, leaving, address } = change;
  const staying = fleet.ids.filter((id) => id !== leaving.id || step === 'add');
  const id = `node ${coming.id}`;
  const command = { type: 'node', id, node: coming.id, address };
  const body = step === 'announce' ? { command, requestId: id } : staying;
  const path = step === 'announce' ? 'dispatch' : 'voters';
  for (let tries = 0; tries < mostTries && !harm.isOver(); tries += 1) {
    const answer = await ask(random.pick(fleet.addresses) ?? '', path, body, answerMs);
    fleet.note(`  ${path} ${JSON.stringify(body)}: ${JSON.stringify(answer)}`);
    if (answer.outcome === 'done') return true;
    await harm.pause(200, 1500);
  }
  return false;
}

/** Another one comes and one goes, any of all, in half of all cases the one that leads. */
const replace: Fault = {
  name: 'replace a replica',
  run: async (harm) => {
    const { fleet, random } = harm;
    const change = begun.get(fleet) ?? (await nextChange(harm));
    begun.set(fleet, change);
    await change.coming.start();
    for (const [at, step] of change.steps.entries()) {
      begun.set(fleet, { ...change, steps: change.steps.slice(at) });
      if (!(await isDone(harm, change, step))) return;
      await harm.pause(0, 2000);
    }
    begun.delete(fleet);
    await fleet.retire(change.leaving, random.between(0, 4000));
  },
};

export const replicaMemberFaults: readonly Fault[] = [replace];
