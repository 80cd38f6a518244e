/** What can happen to the membership: nodes come, and others go, while everything else happens. */
import type { Answer, Request } from '../../adapters/key-value/client-protocol.js';
import { connect } from '../../adapters/key-value/connection.js';
import type { Fault, Harm } from './fault.js';
import type { Fleet } from './fleet.js';
import type { Member } from './member.js';

/** The leader has its own patience with a change; whoever asked waits for that, and no longer. */
const answerMs = 15_000;
const mostTries = 12;

/** Asks one node after the other until it is done. Asking again is harmless. */
async function isChanged(harm: Harm, request: Request): Promise<boolean> {
  for (let tries = 0; tries < mostTries && !harm.isOver(); tries += 1) {
    const address = harm.random.pick(harm.fleet.addresses) ?? '';
    const answer = await answered(address, request);
    harm.fleet.note(
      `  ${JSON.stringify(request)}: ${'text' in answer ? answer.text : answer.type}`,
    );
    if (answer.type === 'done') return true;
    await harm.pause(200, 1500);
  }
  return false;
}

async function answered(address: string, request: Request): Promise<Answer> {
  try {
    const connection = await connect(address, { connectTimeoutMs: 1000 });
    const late = setTimeout(() => connection.close('it did not answer in time'), answerMs);
    try {
      return await connection.ask(request);
    } finally {
      clearTimeout(late);
      connection.close();
    }
  } catch (error) {
    return { type: 'unknown', text: String(error) };
  }
}

/** Who has been started, and is no member yet, as far as it is known. */
const applicants = new WeakMap<Fleet, { readonly member: Member; readonly address: string }>();

async function isOneMore(harm: Harm): Promise<boolean> {
  const { fleet } = harm;
  const applicant = applicants.get(fleet) ?? (await fleet.enlist());
  applicants.set(fleet, applicant);
  const { member, address } = applicant;
  await member.start();
  if (!(await isChanged(harm, { type: 'add', id: member.id, address }))) return false;
  applicants.delete(fleet);
  return true;
}

/** Another one comes; then one goes: any of all, in half of all cases the one that leads. */
const replace: Fault = {
  name: 'replace a node',
  run: async (harm) => {
    const { fleet, random } = harm;
    // If the last time nobody went, it is enough that one goes now.
    const isFew = applicants.has(fleet) || fleet.members.length <= fleet.size;
    if (isFew && !(await isOneMore(harm))) return;
    await harm.pause(0, 2000);
    const leader = fleet.members.find(({ id }) => id === fleet.leader);
    const any = random.pick(fleet.members);
    const leaving = random.chance(0.5) ? (leader ?? any) : any;
    if (leaving === undefined) return;
    if (!(await isChanged(harm, { type: 'remove', id: leaving.id }))) return;
    await fleet.retire(leaving, random.between(0, 4000));
  },
};

export const memberFaults: readonly Fault[] = [replace];
