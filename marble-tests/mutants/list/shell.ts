/** What stands around the core: the queue, the circle, the clock, and the machine. */
import type { Mutant } from '../mutant.js';

export const shell: readonly Mutant[] = [
  {
    name: 'an input during a turn is handled within it',
    trap: 'law 4',
    file: 'lib/raft.ts',
    before: 'if (isRunning || isScheduled) return;',
    after: 'if (isScheduled) return;',
  },
  {
    name: 'what comes during the last turn waits for the next input',
    trap: 'law 4',
    file: 'lib/raft.ts',
    before: 'else if (isTurnDue()) runSoon();',
    after: 'else if (!isTurnDue()) runSoon();',
  },
  {
    name: 'what adapters say before the core listens is lost',
    trap: 'J, law 4',
    file: 'lib/loop.ts',
    before: 'if (inlet === null) early.push(input);',
    after: 'if (inlet === null) return;',
    test: {
      file: 'lib/loop.test.ts',
      title: 'on subscription is kept until the core listens, of all four of them',
    },
    because: 'elsewhere',
  },
  {
    name: 'an action goes downstream before its device has it',
    trap: 'law 4',
    file: 'lib/loop.ts',
    before:
      '          if (device !== null) (devices[device] as Outlet<Action<C, S>>).next(action);\n          subscriber.next(action);',
    after:
      '          subscriber.next(action);\n          if (device !== null) (devices[device] as Outlet<Action<C, S>>).next(action);',
    test: {
      file: 'lib/loop.test.ts',
      title: 'goes to its device first: who listens downstream sees what the device was told',
    },
    because: 'guarded',
  },
  {
    name: 'a timeout fires though its deadline has moved',
    trap: 'F, clock',
    file: 'adapters/clock.ts',
    before: 'if (now < this.deadline) {\n      this.rearm(now);',
    after: 'if (now < 0) {\n      this.rearm(now);',
    test: {
      file: 'adapters/clock.test.ts',
      title: 'one lazy timer: a hundred thousand words of a leader start and cancel none',
    },
    because: 'slow',
  },
  {
    name: 'timeouts are the same each time',
    trap: 'A10',
    file: 'adapters/clock.ts',
    before: 'return drawn * this.settings.spreadMs;',
    after: 'return this.settings.spreadMs;',
  },
  {
    name: 'a timer outlives its node',
    trap: 'I15, law 8',
    file: 'adapters/clock.ts',
    before:
      "    this.stage = 'idle';\n    this.deadline = Infinity;\n    this.timer?.unsubscribe();",
    after: "    this.stage = 'idle';\n    this.deadline = Infinity;",
  },
  {
    name: 'a leader hears no interval',
    trap: 'F, clock',
    file: 'adapters/clock.ts',
    before: "this.deadline = this.startedAt + (role === 'leader' ? heartbeatMs : minimumMs);",
    after: "this.deadline = this.startedAt + (role === 'leader' ? Infinity : minimumMs);",
  },
  {
    name: 'a waiter is known by its index alone',
    trap: 'J1, E10',
    file: 'adapters/waiters.ts',
    before: 'if (accepted.term === term) return accepted.proposal;',
    after: 'if (accepted.term > 0) return accepted.proposal;',
    test: {
      file: 'adapters/machine.test.ts',
      title: '"T: A\'s waiter for 5 gets lost, never ok(y\'s result)" (E10)',
    },
    because: 'guarded',
  },
  {
    name: 'a lost leadership is told as a failure',
    trap: 'E11',
    file: 'adapters/waiters.ts',
    before: 'return new OutcomeUnknown(`the leadership of',
    after: 'return new NotApplied(`the leadership of',
  },
  {
    name: 'who waited for a deposed leader waits for ever',
    trap: 'E4',
    file: 'adapters/waiters.ts',
    before: 'if (!this.isOver(term)) continue;',
    after: 'if (!this.isOver(term) || term > 0) continue;',
  },
  {
    name: 'who waits for an entry that a snapshot covers waits for ever',
    trap: 'E4',
    file: 'adapters/machine-log.ts',
    before: '    this.requests.proposals.onRestored(position.index);\n',
    after: '',
    test: {
      file: 'adapters/machine.test.ts',
      title: 'a snapshot over its index ends it as unknown, and no other',
    },
    because: 'guarded',
  },
  {
    name: 'all commands of a block have the first one’s result',
    trap: 'E10',
    file: 'adapters/machine-log.ts',
    before: 'this.applyCommand(command, position, offset, waiters[offset]);',
    after: 'this.applyCommand(command, position, offset, waiters[0]);',
  },
  {
    name: 'who waits when the node stops is not told',
    trap: 'E4',
    file: 'adapters/machine-requests.ts',
    before: '    this.proposals.end();\n',
    after: '',
  },
  {
    name: 'readers who wait when the node stops are not told',
    trap: 'E4',
    file: 'adapters/machine-requests.ts',
    before:
      '    for (const waiter of this.takeReads([...this.reads.keys()])) waiter.reject(stopped);\n',
    after: '',
  },
  {
    name: 'a restored machine applies what its snapshot has, once more',
    trap: 'J9, E12',
    file: 'adapters/machine-log.ts',
    before: '    this.state = this.settings.load(data);\n    this.applied = position;',
    after: '    this.state = this.settings.load(data);',
  },
  {
    name: 'a gap in the log is passed over',
    trap: 'J9',
    file: 'adapters/machine-log.ts',
    before: 'samePosition(entries.prevPosition, this.applied),',
    after: 'entries.prevPosition.index >= 0,',
    test: {
      file: 'adapters/machine.test.ts',
      title: 'a gap, a repetition, another history or an older snapshot ends the node (C1)',
    },
    because: 'guarded',
  },
  {
    name: 'a snapshot is one entry ahead of its state',
    trap: 'C15',
    file: 'adapters/machine-log.ts',
    before: "say({ type: 'snapshotTaken', index: this.applied.index, data })",
    after: "say({ type: 'snapshotTaken', index: this.applied.index - 1, data })",
  },
  {
    name: 'a proposal is said before it is in the table',
    trap: 'J5',
    file: 'adapters/machine-requests.ts',
    before: '    this.proposals.ask(number, proposal);\n    this.say(input(number));',
    after: '    this.say(input(number));\n    this.proposals.ask(number, proposal);',
  },
];
