/** What can happen to processes and disks. */
import type { Fault, Harm } from './fault.js';
import type { Fleet } from './fleet.js';
import type { DiskFault, Member } from './member.js';

/** Some nodes, in half of all cases with the one that leads as their first. */
function victims({ fleet, random }: Harm, most: number): Member[] {
  const rest = [...fleet.members];
  const chosen: Member[] = [];
  const take = (at: number): number => chosen.push(...rest.splice(at, 1));
  const leader = rest.findIndex(({ id }) => id === fleet.leader);
  if (leader !== -1 && random.chance(0.5)) take(leader);
  const count = random.chance(0.7) ? 1 : random.between(1, most);
  while (chosen.length < count) take(random.below(rest.length));
  return chosen;
}

function told(fleet: Fleet, what: string, members: readonly Member[]): void {
  fleet.note(`${what} ${members.map(({ id }) => id).join()}`);
}

async function restart(members: readonly Member[]): Promise<void> {
  await Promise.all(members.map((member) => member.start()));
}

const kill: Fault = {
  name: 'kill -9',
  run: async (harm) => {
    const chosen = victims(harm, harm.fleet.members.length - 1);
    told(harm.fleet, 'kill -9', chosen);
    await Promise.all(chosen.map((member) => member.crash()));
    await harm.pause(0, 3000);
    await restart(chosen);
  },
};

const killAgain: Fault = {
  name: 'kill -9 while it starts',
  run: async (harm) => {
    const [member] = victims(harm, 1);
    for (let times = harm.random.between(2, 4); times > 0; times -= 1) {
      told(
        harm.fleet,
        'kill -9 while it starts',
        [member].flatMap((each) => each ?? []),
      );
      await member?.crash();
      member?.begin();
      await harm.pause(50, 600);
    }
    await member?.crash();
    await member?.start();
  },
};

const stop: Fault = {
  name: 'stop',
  run: async (harm) => {
    const chosen = victims(harm, harm.fleet.members.length - 1);
    told(harm.fleet, 'stop', chosen);
    await Promise.all(chosen.map((member) => member.stop()));
    await harm.pause(0, 2000);
    await restart(chosen);
  },
};

const hang: Fault = {
  name: 'SIGSTOP',
  run: async (harm) => {
    const chosen = victims(harm, harm.fleet.members.length);
    told(harm.fleet, 'SIGSTOP', chosen);
    for (const member of chosen) member.pause();
    await harm.pause(200, 4000);
    for (const member of chosen) {
      member.resume();
      await harm.pause(0, 300);
    }
  },
};

const killAll: Fault = {
  name: 'restart of all',
  run: async (harm) => {
    const { members } = harm.fleet;
    told(harm.fleet, 'restart of all', members);
    await Promise.all(members.map((member) => member.crash()));
    await harm.pause(0, 1000);
    await restart(members);
  },
};

/**
 * It runs on a disk on which no file can grow beyond a few blocks, until it is given a better one.
 */
const fullDisk: Fault = {
  name: 'small disk',
  run: async (harm) => {
    const [member] = victims(harm, 1);
    const blocks = harm.random.between(4, 60);
    harm.fleet.note(`small disk of ${blocks} blocks: ${member?.id}`);
    await member?.crash();
    member?.begin(blocks);
    await member?.listens();
    for (let steps = 0; steps < 5 && member?.isRunning === true; steps += 1) {
      await harm.pause(500, 1500);
    }
    await member?.crash();
    await member?.start();
  },
};

function failingDisk(name: string, fault: DiskFault): Fault {
  return {
    name,
    run: async (harm) => {
      const chosen = victims(harm, harm.fleet.members.length);
      told(harm.fleet, name, chosen);
      for (const member of chosen) member.disk(fault);
      await Promise.all(chosen.map((member) => member.failsStop(3000)));
      await harm.pause(0, 1000);
      await restart(chosen);
    },
  };
}

const slowDisk: Fault = {
  name: 'slow disk',
  run: async (harm) => {
    const chosen = victims(harm, harm.fleet.members.length);
    const stallMs = harm.random.between(20, 1500);
    told(harm.fleet, `slow disk of ${stallMs} ms:`, chosen);
    for (const member of chosen) member.disk(`stall ${stallMs}`);
    await harm.pause(1000, 4000);
    for (const member of chosen) member.disk('well');
  },
};

export const nodeFaults: readonly Fault[] = [
  ...[kill, killAgain, stop, hang, killAll, fullDisk, slowDisk],
  failingDisk('failing sync, bytes kept', 'sync kept'),
  failingDisk('failing sync, bytes lost', 'sync lost'),
  failingDisk('no space left', 'space'),
];
