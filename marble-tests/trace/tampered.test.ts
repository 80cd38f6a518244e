/**
 * Traces that were tampered with: one thing is changed in the trace of a real run, and the model
 * must name the rule that was broken.
 */
import { describe, expect, it } from 'vitest';
import type { Config, Line } from './line.js';
import { Model } from './model.js';
import { ModelNode } from './model-node.js';
import type { Rule } from './rules.js';
import { rules } from './rules.js';
import {
  broken,
  finalOf,
  isCommand,
  isConfig,
  isJoint,
  isWholeAck,
  next,
  runs,
  tampered,
  without,
} from './tampering.js';
import { World } from './world.js';

describe('the runs', () => {
  it('are good before they are tampered with', () => {
    expect(runs.map(broken)).toEqual(runs.map(() => null));
  });

  it('are known by a violation that names the rule, its sentence and the line', () => {
    const lines = tampered('commit', { fits: () => true, change: (line) => (line.commit += 99) });
    const model = new Model();
    const replayed = (): void => lines.forEach((line) => model.take(JSON.stringify(line)));
    expect(replayed).toThrow(/^commitment: . commits \d+, .*\(line \d+, \{.*\}\); but "if a maj/);
  });
});

const elections: [string, Rule, () => Line[]][] = [
  [
    'a vote that was denied is granted',
    'oneVote',
    () =>
      tampered('send', {
        fits: ({ message }) => message.type === 'requestVoteReply' && !message.voteGranted,
        change: ({ message }) => {
          if (message.type === 'requestVoteReply') message.voteGranted = true;
        },
      }),
  ],
  [
    'a vote that was granted to one is granted to another',
    'oneVote',
    () =>
      tampered('send', {
        fits: ({ message }) => message.type === 'requestVoteReply' && message.voteGranted,
        change: (line) =>
          (line.to = [
            line.config.voters.find((id) => id !== line.node) === line.to[0] ? 'z' : 'y',
          ]),
      }),
  ],
  [
    'another vote is written in the same term',
    'oneVote',
    () =>
      tampered('persist', {
        fits: (line) => !line.hardState && line.vote !== null,
        change: (line) => {
          line.hardState = true;
          line.vote = line.vote === 'a' ? 'b' : 'a';
        },
      }),
  ],
  [
    'a vote for one who did not ask',
    'delivery',
    () =>
      tampered('persist', {
        fits: (line) => line.hardState && line.vote !== null && line.vote !== line.node,
        change: (line) => (line.vote = 'z'),
      }),
  ],
  [
    'a vote for a candidate with an older log',
    'upToDate',
    () => {
      let candidate = '';
      return tampered('persist', {
        fits: (line, before) => {
          const asked = before('receive');
          if (!line.hardState || line.vote !== null || asked?.event !== 'receive') return false;
          const { message } = asked;
          if (message.type !== 'requestVoteCall' || message.term !== line.term) return false;
          candidate = message.from;
          return message.lastPosition.term < line.last.term;
        },
        change: (line) => (line.vote = candidate),
      });
    },
  ],
  [
    'a vote leaves before it is on the disk',
    'durability',
    () =>
      without((line, _, rest) => {
        const then = next(line, rest);
        if (line.event !== 'persisted' || then?.event !== 'send') return false;
        return then.message.type === 'requestVoteReply' && then.message.voteGranted;
      }),
  ],
  [
    'a candidate asks for votes before its own is on the disk',
    'durability',
    () =>
      without((line, _, rest) => {
        const then = next(line, rest);
        if (line.event !== 'persisted' || then?.event !== 'send') return false;
        return then.message.type === 'requestVoteCall';
      }),
  ],
  [
    'a candidate shows a longer log than it has',
    'upToDate',
    () =>
      tampered('send', {
        fits: ({ message }) => message.type === 'requestVoteCall',
        change: ({ message }) => {
          if (message.type === 'requestVoteCall') message.lastPosition.index += 1;
        },
      }),
  ],
  [
    'a candidate in the term that it was in',
    'candidacy',
    () =>
      tampered('becomeCandidate', {
        fits: (_, before) => before() !== undefined,
        change: (line) => (line.term -= 1),
      }),
  ],
  [
    'a candidate with a leader',
    'candidacy',
    () =>
      tampered('becomeCandidate', {
        fits: () => true,
        change: (line) => (line.leader = 'b'),
      }),
  ],
  [
    'a leader without the vote that it needed',
    'voteQuorum',
    () =>
      without((line, _, rest) => {
        if (line.event !== 'receive' || line.config.voters.length !== 3) return false;
        const then = next(line, rest)?.event;
        return line.message.type === 'requestVoteReply' && then === 'becomeLeader';
      }),
  ],
  [
    'two leaders in a term',
    'oneLeader',
    () =>
      tampered('becomeFollower', {
        fits: (line) => line.leader !== null,
        change: (line) => {
          Object.assign(line, { event: 'becomeLeader', role: 'leader', leader: line.node });
        },
      }),
  ],
  [
    'a follower of one who does not lead',
    'oneLeader',
    () =>
      tampered('becomeFollower', {
        fits: (line) => line.leader !== null,
        change: (line) => (line.leader = line.node),
      }),
  ],
  [
    'a term is lowered',
    'term',
    () =>
      tampered('becomeFollower', {
        fits: (line, before) => line.term > 0 && before()?.term === line.term,
        change: (line) => (line.term -= 1),
      }),
  ],
  [
    'a message of a term that is over',
    'term',
    () =>
      tampered('send', {
        fits: ({ message }) => message.term > 1,
        change: ({ message }) => (message.term -= 1),
      }),
  ],
  [
    'a message in the name of another',
    'sender',
    () => tampered('send', { fits: () => true, change: ({ message }) => (message.from = 'z') }),
  ],
  [
    'a message that nobody sent',
    'delivery',
    () => tampered('receive', { fits: () => true, change: ({ message }) => (message.term += 1) }),
  ],
];

const logs: [string, Rule, () => Line[]][] = [
  [
    'an acknowledgement is ahead of the log',
    'durability',
    () =>
      tampered('send', {
        fits: isWholeAck,
        change: ({ message }) => {
          if (message.type === 'appendEntriesReply') message.lastPosition.index += 1;
        },
      }),
  ],
  [
    'an acknowledgement is ahead of the disk',
    'durability',
    () =>
      without((line, before, rest) => {
        const asked = before();
        if (line.event !== 'persisted' || asked?.event !== 'persist') return false;
        return (asked.entries?.list.length ?? 0) > 0 && isWholeAck(next(line, rest));
      }),
  ],
  [
    'an entry is another one',
    'logMatching',
    () =>
      tampered('append', {
        fits: (line) => line.role === 'follower' && isCommand(line.entries.list[0]?.[1]),
        change: ({ entries }) => (entries.list[0] = [entries.list[0]?.[0] ?? 0, 'changed']),
      }),
  ],
  [
    'two entries are swapped',
    'logMatching',
    () =>
      tampered('append', {
        fits: ({ entries, role }) => {
          const [first, second] = entries.list;
          const differ = first?.[1] !== second?.[1];
          return role === 'follower' && isCommand(first?.[1]) && isCommand(second?.[1]) && differ;
        },
        change: ({ entries: { list } }) => void list.splice(0, 2, ...list.slice(0, 2).reverse()),
      }),
  ],
  [
    'an entry is sent that is another one',
    'logMatching',
    () =>
      tampered('send', {
        fits: ({ message }) => {
          return message.type === 'appendEntriesCall' && isCommand(message.entries.list[0]?.[1]);
        },
        change: ({ message }) => {
          if (message.type === 'appendEntriesCall') message.entries.list[0] = [message.term, 'x'];
        },
      }),
  ],
  [
    'a gap in the log',
    'logMatching',
    () =>
      tampered('append', { fits: () => true, change: ({ entries }) => (entries.after.index += 1) }),
  ],
  [
    'an entry that the follower was not sent',
    'origin',
    () =>
      without((line, _, rest) => {
        if (line.event !== 'receive' || line.message.type !== 'appendEntriesCall') return false;
        return line.message.entries.list.length > 0 && next(line, rest)?.event === 'append';
      }),
  ],
  [
    'a leader replaces an entry',
    'leaderAppendOnly',
    () =>
      tampered('append', {
        fits: (line, before) => {
          const last = before('append');
          const isSecond = last?.event === 'append' && isCommand(last.entries.list[0]?.[1]);
          return line.role === 'leader' && isSecond && line.entries.after.term === line.term;
        },
        change: ({ entries }) => (entries.after.index -= 1),
      }),
  ],
  [
    'a follower cuts what does not conflict',
    'truncation',
    () =>
      tampered('append', {
        fits: ({ role, entries }, before) => {
          const last = before('append');
          const isSecond = last?.event === 'append' && isCommand(last.entries.list[0]?.[1]);
          return role === 'follower' && isSecond && entries.after.term === entries.list[0]?.[0];
        },
        change: ({ entries }) => (entries.after.index -= 1),
      }),
  ],
  [
    'an acknowledgement of entries that the leader has not',
    'acknowledgement',
    () =>
      tampered('send', {
        fits: ({ message }) => {
          if (message.type !== 'appendEntriesReply') return false;
          return message.refused && message.lastPosition.index > 0;
        },
        change: ({ message }) => {
          if (message.type === 'appendEntriesReply') message.refused = false;
        },
      }),
  ],
];

const disks: [string, Rule, () => Line[]][] = [
  [
    'another entry is written than the log has',
    'storage',
    () =>
      tampered('persist', {
        fits: ({ entries }) => isCommand(entries?.list[0]?.[1]),
        change: ({ entries }) => entries?.list.splice(0, 1, [entries.list[0]?.[0] ?? 0, 'changed']),
      }),
  ],
  [
    'a write is left out',
    'storage',
    () => tampered('persist', { fits: () => true, change: (line) => (line.sequence += 1) }),
  ],
  [
    'a write is done that was never asked for',
    'storage',
    () => tampered('persisted', { fits: () => true, change: (line) => (line.sequence += 99) }),
  ],
  [
    'a node forgets its vote',
    'recovery',
    () =>
      tampered('start', {
        fits: (line) => line.run > 1 && line.vote !== null,
        change: (line) => (line.vote = null),
      }),
  ],
  [
    'a node forgets its log',
    'recovery',
    () =>
      tampered('start', {
        fits: (line) => line.run > 1 && line.entries.list.length > 3,
        change: (line) => (line.entries.list.length = 0),
      }),
  ],
  [
    'a node is in a run that it was in',
    'recovery',
    () => tampered('start', { fits: (line) => line.run > 1, change: (line) => (line.run -= 1) }),
  ],
  [
    'a snapshot of what is not committed',
    'snapshot',
    () =>
      tampered('snapshot', {
        fits: () => true,
        change: ({ snapshot }) => (snapshot.position.index += 99),
      }),
  ],
  [
    'a snapshot with another configuration',
    'snapshot',
    () =>
      tampered('snapshot', {
        fits: () => true,
        change: ({ snapshot }) => snapshot.config.nonVoters.push('z'),
      }),
  ],
  [
    'a snapshot leaves that is not on the disk',
    'durability',
    () =>
      tampered('sendSnapshot', {
        fits: () => true,
        change: ({ snapshot }) => (snapshot.position.index += 1),
      }),
  ],
  [
    'a snapshot arrives that nobody sent',
    'delivery',
    () =>
      tampered('receiveSnapshot', {
        fits: () => true,
        change: ({ snapshot }) => snapshot.config.voters.push('z'),
      }),
  ],
];

const commitments: [string, Rule, () => Line[]][] = [
  [
    'a leader commits ahead of its quorum',
    'commitment',
    () =>
      tampered('commit', {
        fits: (line) => line.role === 'leader' && line.last.index > line.commit + 1,
        change: (line) => (line.commit = line.last.index),
      }),
  ],
  [
    'a follower commits ahead of its leader',
    'commitment',
    () =>
      tampered('commit', {
        fits: (line) => line.role === 'follower' && line.last.index > line.commit,
        change: (line) => (line.commit = line.last.index),
      }),
  ],
  [
    'a commit index goes back',
    'monotone',
    () =>
      tampered('commit', {
        fits: (line) => line.commit > 1,
        change: (line) => (line.commit = 0),
      }),
  ],
  [
    'what is not committed is applied',
    'application',
    () =>
      without((line, _, rest) => line.event === 'commit' && next(line, rest)?.event === 'apply'),
  ],
  [
    'entries are not applied',
    'application',
    () => without((line) => line.event === 'apply' && line.entries.list.length > 0),
  ],
  [
    'another entry is applied',
    'logMatching',
    () =>
      tampered('apply', {
        fits: ({ entries }) => isCommand(entries.list[0]?.[1]),
        change: ({ entries }) => (entries.list[0] = [entries.list[0]?.[0] ?? 0, 'changed']),
      }),
  ],
];

const members: [string, Rule, () => Line[]][] = [
  [
    'from C_old to C_new in one step',
    'membership',
    () =>
      tampered('append', {
        fits: ({ role, entries }) =>
          role === 'leader' && entries.list.some(([, each]) => isJoint(each)),
        change: ({ entries }) => {
          entries.list = entries.list.map(([term, content]) => {
            return isConfig(content) ? [term, finalOf(content)] : [term, content];
          });
        },
      }),
  ],
  [
    'a change before the one before it is committed',
    'membership',
    () => {
      let change: Config | null = null;
      return tampered('append', {
        fits: ({ role, entries, commit }, before) => {
          if (role !== 'leader' || !isCommand(entries.list.at(-1)?.[1])) return false;
          const last = before('append');
          if (last?.event !== 'append' || last.role !== 'leader') return false;
          const found = last.entries.list.findIndex(([, each]) => isJoint(each));
          const content = last.entries.list[found]?.[1] ?? null;
          change = isConfig(content) ? finalOf(content) : null;
          return found !== -1 && commit < last.entries.after.index + found + 1;
        },
        change: ({ entries }) => {
          const [term] = entries.list.at(-1) ?? [0];
          entries.list.splice(-1, 1, [term, change]);
        },
      });
    },
  ],
  [
    'a member is told that it is none',
    'membership',
    () => {
      return tampered('send', {
        fits: ({ message, config, node }) =>
          message.type === 'removalNotice' && config.voters.some((id) => id !== node),
        change: (line) => (line.to = [line.config.voters.find((id) => id !== line.node) ?? '']),
      });
    },
  ],
  [
    'a configuration of another place in the log',
    'configuration',
    () => tampered('configuration', { fits: () => true, change: (line) => (line.index += 1) }),
  ],
];

const [first = []] = runs;

const itself: [string, Rule, () => Line[]][] = [
  [
    'a line says another log length',
    'state',
    () => tampered('receive', { fits: () => true, change: ({ last }) => (last.index += 1) }),
  ],
  [
    'a line says another role',
    'state',
    () =>
      tampered('persist', {
        fits: (line) => line.role === 'follower',
        change: (line) => (line.role = 'candidate'),
      }),
  ],
  [
    'a line says another configuration',
    'state',
    () => tampered('commit', { fits: () => true, change: ({ config }) => config.voters.push('z') }),
  ],
  ['a line is missing', 'sequence', () => first.filter((_, at) => at !== 20)],
  [
    'a line is there twice',
    'sequence',
    () => first.flatMap((line, at) => (at === 20 ? [line, line] : [line])),
  ],
  [
    'the format is of another version',
    'format',
    () => tampered('start', { fits: () => true, change: (l) => Object.assign(l, { version: 2 }) }),
  ],
  [
    'a line has one more field',
    'format',
    () => tampered('commit', { fits: () => true, change: (l) => Object.assign(l, { more: 1 }) }),
  ],
];

describe.each([
  ['elections (§5.1, §5.2)', elections],
  ['logs (§5.3)', logs],
  ['disks (Figure 2, §7)', disks],
  ['commitment (§5.4)', commitments],
  ['members (§6)', members],
  ['the trace itself', itself],
])('a tampered trace, %s', (_, cases) => {
  it.each(cases)('%s: %s', (_name, rule, lines) => {
    expect(broken(lines())).toBe(rule);
  });
});

describe('every rule', () => {
  it('is broken by one of these, but for one that follows from others', () => {
    const all = [elections, logs, disks, commitments, members, itself].flat();
    const found = new Set(all.map(([, rule]) => rule));
    const rest = Object.keys(rules).filter((rule) => !found.has(rule as Rule));
    expect(rest).toEqual(['leaderCompleteness']);
  });

  it('a leader without a committed entry (Leader Completeness, Figure 3)', () => {
    const world = new World();
    world.onCommittedBy(3, { term: 2, index: 4 });
    const leader = new ModelNode('a');
    leader.term = 3;
    expect(() => world.checkCompleteness(leader)).not.toThrow();
    leader.term = 4;
    expect(() => world.checkCompleteness(leader)).toThrow(/^leaderCompleteness: /);
  });
});
