/**
 * Faults that are planted in a copy of the program: a campaign finds each of them, or it would
 * prove nothing of the program itself.
 */
import { join } from 'node:path';
import { it } from 'vitest';
import { campaign } from './campaign.js';
import type { Planted } from './plant.js';
import { isFound, patienceMs, seconds } from './plant.js';

const batch = 'medium.batch(operations, ledger.head.batch)';

/** By what clients saw. */
const unexplained = /^no order explains /;

/** Or by what watchers were told: a put that was made twice. */
const unexplainedOrTwice = /^(?:no order explains |watch: key .* was told at \d+,\d+: )/;

const planted: readonly Planted[] = [
  {
    fault: 'a write is acknowledged before it is on the disk',
    file: 'dist/adapters/medium-store.js',
    // Not the first batch of all, which stands for itself.
    text: `try {\n            await ${batch}`,
    instead: `try {\n            ${batch}.catch(() => process.exit(1))`,
    // The store itself finds when it is opened that something is missing, and refuses.
    found: /^the traces are not Raft: recovery: |has ended by itself, with exit code 1$/,
  },
  {
    fault: 'an entry of an older term is committed by counting',
    file: 'dist/lib/commitment.js',
    text: ' || index < state.termStart',
    instead: '',
    found: /^the traces are not Raft: commitment: /,
  },
  {
    fault: 'a node that starts again has forgotten its vote',
    file: 'dist/adapters/store-recovery.js',
    text: 'const recovered = { generation, currentTerm, votedFor,',
    instead: 'const recovered = { generation, currentTerm, votedFor: null,',
    found: /^the traces are not Raft: recovery: /,
  },
  // What comes now is right on the wire of the nodes, and wrong for those who come in by one way.
  {
    fault: 'HTTP says of an unknown outcome that nothing was done',
    file: 'dist/adapters/key-value/http-reply.js',
    text: "errorReply(unknownStatus, 'unknown', text)",
    instead: "errorReply(503, 'noLeader', text)",
    found: unexplained,
  },
  {
    fault: 'HTTP acknowledges a put whose outcome is unknown',
    file: 'dist/adapters/key-value/http-reply.js',
    text: "errorReply(unknownStatus, 'unknown', text)",
    instead: '({ status: 204 })',
    found: unexplained,
  },
  {
    fault: 'an entry of a batch is acknowledged and lost',
    file: 'dist/adapters/gateway/door-client.js',
    text: 'for (const received of decodeRequests(protocol, frame))',
    instead:
      'for (const [at, received] of decodeRequests(protocol, frame).entries())\n' +
      "if (at === 3 && received.asked.request.type === 'command')\n" +
      "this.send(received.asked.id, { type: 'done' });\nelse ",
    found: unexplained,
  },
  {
    fault: 'the typed client says of an unknown outcome that nothing was done',
    file: 'dist/adapters/gateway/failure-error.js',
    text: 'return new OutcomeUnknown(text)',
    instead: 'return new NotApplied(text)',
    found: unexplained,
  },
  {
    fault: 'the typed client sends a put again whose connection was lost',
    file: 'dist/adapters/gateway/caller.js',
    text: 'if (!isRepeatable)',
    instead: 'if (false)',
    found: unexplainedOrTwice,
  },
  {
    fault: 'the command line acknowledges what it has not sent',
    file: 'dist/adapters/key-value/client-command.js',
    text: 'await request(asked, options)',
    instead: "asked.type === 'command' ? { type: 'done' } : await request(asked, options)",
    found: unexplained,
  },
  {
    fault: 'a stale read makes up a value',
    file: 'dist/adapters/key-value/service.js',
    text: 'request.stale ? valueOf(request.key)',
    instead: "request.stale ? { type: 'value', value: new Uint8Array(Buffer.from('made up')) }",
    found: /^a stale read from thin air: /,
  },
  {
    fault: 'a watch goes on without what is not kept any more',
    file: 'dist/adapters/key-value/watch.js',
    text: 'if (after < changes.base) {',
    instead: 'if (after < 0) {',
    found: /^watch: .* was not told \d+, /,
  },
  {
    fault: 'a watch begins where its node is, which is behind',
    file: 'dist/adapters/key-value/watch.js',
    text: 'request.from === null ? applied() : request.from - 1',
    instead: 'request.from === null ? applied() : Math.min(applied(), request.from - 1)',
    found: /^watch: .*: (?:watching|changes) \d+ after \d+$/,
  },
  {
    fault: 'a watch on the command line leaves an entry out when it goes on with the next node',
    file: 'dist/adapters/key-value/follow.js',
    text: 'from = behind(told.index);',
    instead: 'from = behind(told.index) + 1;',
    found:
      /^watch: command was not told \d+, |command: .* by what was told, and .* by what is read$/,
  },
  {
    fault: 'the live view tells an old role for ever',
    file: 'dist/adapters/live/feed.js',
    text: ' = this.options.status();\n        const { commit',
    instead:
      ' = { ...this.options.status(), ...(this.old ??= (({ role, leader }) =>' +
      ' ({ role, leader }))(this.options.status())) };\n        const { commit',
    found: /^view: .* was told by .*: .* of term \d+, led by .*, behind /,
  },
  {
    fault: 'the live view tells the log of a node without what replaced its end',
    file: 'dist/adapters/live/feed.js',
    text: "if (action.type === 'persist')",
    instead: "if (action.type === 'persist' && Math.random() < 0.9)",
    found: /^view: .* (?:committed in a log up to|led by)/,
  },
  {
    fault: 'one of those who look is not told a frame',
    file: 'dist/adapters/live/door.js',
    text: 'socket.send(frame);',
    instead: 'if (Math.random() < 0.99) socket.send(frame);',
    found: /^view: .* was not told what .* told others$/,
  },
  {
    fault: 'the live door acknowledges a put that it has not made',
    file: 'dist/adapters/live/door.js',
    text: 'const answer = await this.options.answer(request);',
    instead:
      "const answer = asked.type === 'put' && asked.id % 5 === 0\n" +
      "? { type: 'done' } : await this.options.answer(request);",
    found: unexplained,
  },
  {
    fault: 'the live door says of an unknown outcome that nothing was done',
    file: 'dist/adapters/live/request.js',
    text: 'return frame(answer.type, answer.text);',
    instead: "return frame('refused', answer.text);",
    found: /^no order explains |^watch: .* it was done 0 times/,
  },
];

it.each(planted)('$fault: it is found', { timeout: patienceMs }, (fault) =>
  isFound(fault, (folder, seed, say) => {
    const program = join(folder, 'dist/adapters/key-value/command-line.js');
    return campaign({ nodes: 3, seconds, seed, changes: false, say, program });
  }),
);
