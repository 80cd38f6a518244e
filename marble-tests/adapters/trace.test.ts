/**
 * The trace of a node: a line for each event, and nothing else changed.
 *
 * In a diagram: t timedOut, q and p persisted, v a vote; s setElectionTimeout, F, C and L
 * roleChanged, c configChanged, w persist, m a message.
 */
import { EMPTY, map, Subject, tap, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { traced } from '../../adapters/trace.js';
import type { Action, Input, Message } from '../../lib/index.js';
import { clusterOf, emptyEntries, entriesOf, raft } from '../../lib/index.js';
import { marbles } from '../marbles.js';
import { randomRun } from '../trace/random-run.js';
import { parseLine } from '../trace/line.js';
import { TracedCluster } from '../trace/traced-cluster.js';

type Told = Input<string, string>;

const config = { id: 'a', initialVoters: ['a', 'b', 'c'] };
const received = (message: Message<string>): Told => ({ type: 'received', message });
const persisted = (sequence: number): Told => ({ type: 'persisted', sequence });
const vote = received({ type: 'requestVoteReply', from: 'b', term: 1, voteGranted: true });
const election: Told[] = [persisted(1), { type: 'timedOut' }, persisted(2), vote];

/** What a node writes that is told these. */
function linesOf(inputs: readonly Told[], options: object = {}): string[] {
  const lines: string[] = [];
  const write = (line: string): number => lines.push(line);
  const core = raft<string, string>({ ...config, ...options });
  const input$ = new Subject<Told>();
  input$.pipe(traced(core, { ...config, ...options, write })).subscribe();
  for (const input of inputs) input$.next(input);
  return lines;
}

function letterOf(action: Action): string {
  if (action.type === 'roleChanged') return action.role.charAt(0).toUpperCase();
  const letters: Record<string, string> = { configChanged: 'c', setElectionTimeout: 's' };
  return letters[action.type] ?? (action.type === 'persist' ? 'w' : 'm');
}

const eventsOf = (lines: readonly string[]): string[] => lines.map((line) => parseLine(line).event);

describe('the lines of a node', () => {
  it('are these, byte for byte: the format is stable', () => {
    const lines = linesOf([...election, { type: 'proposed', proposal: 1, commands: ['x'] }]);
    const abc = '{"voters":["a","b","c"],"newVoters":[],"nonVoters":[]}';
    const state = (role: string, term: number, vote: string, last: string): string =>
      `"role":"${role}","term":${term},"vote":${vote},"commit":0,"last":${last},"config":${abc}`;
    const follower = state('follower', 0, 'null', '{"term":0,"index":0}');
    const begun = state('follower', 0, 'null', '{"term":0,"index":1}');
    const candidate = state('candidate', 1, '"a"', '{"term":0,"index":1}');
    const leader = (index: number): string =>
      state('leader', 1, '"a"', `{"term":${index === 1 ? 0 : 1},"index":${index}}`);
    const first = `{"after":{"term":0,"index":0},"list":[[0,${abc}]]}`;
    const marker = '{"after":{"term":0,"index":1},"list":[[1,null]]}';
    const command = '{"after":{"term":1,"index":2},"list":[[1,"fd0c5087"]]}';
    const none = '{"voters":[],"newVoters":[],"nonVoters":[]}';
    const call = `"type":"appendEntriesCall","from":"a","term":1`;
    expect(lines).toEqual(
      [
        `"event":"start",${follower.replace(abc, none)},"snapshot":null,` +
          '"entries":{"after":{"term":0,"index":0},"list":[]}',
        `"event":"becomeFollower",${follower.replace(abc, none)},"leader":null`,
        `"event":"configuration",${follower},"index":1`,
        `"event":"append",${begun},"entries":${first}`,
        `"event":"persist",${begun},"sequence":1,"hardState":false,"entries":${first},` +
          '"snapshot":null',
        `"event":"persisted",${begun},"sequence":1`,
        `"event":"becomeCandidate",${candidate},"leader":null`,
        `"event":"persist",${candidate},"sequence":2,"hardState":true,"entries":null,` +
          '"snapshot":null',
        `"event":"persisted",${candidate},"sequence":2`,
        `"event":"send",${candidate},"to":["b","c"],"message":{"type":"requestVoteCall",` +
          '"from":"a","term":1,"lastPosition":{"term":0,"index":1}}',
        `"event":"receive",${candidate},"message":{"type":"requestVoteReply","from":"b",` +
          '"term":1,"voteGranted":true}',
        `"event":"becomeLeader",${leader(1)},"leader":"a"`,
        `"event":"append",${leader(2)},"entries":${marker}`,
        `"event":"send",${leader(2)},"to":["b","c"],"message":{${call},"round":1,` +
          `"commitIndex":0,"entries":${marker}}`,
        `"event":"persist",${leader(2)},"sequence":3,"hardState":false,"entries":${marker},` +
          '"snapshot":null',
        `"event":"append",${leader(3)},"entries":${command}`,
        `"event":"send",${leader(3)},"to":["b","c"],"message":{${call},"round":2,` +
          `"commitIndex":0,"entries":${command}}`,
        `"event":"persist",${leader(3)},"sequence":4,"hardState":false,"entries":${command},` +
          '"snapshot":null',
      ].map((rest, at) => {
        const version = at === 0 ? '"version":1,' : '';
        return `{${version}"node":"a","run":0,"line":${at + 1},${rest}}`;
      }),
    );
  });

  it('begin with what the node found', () => {
    const position = { term: 2, index: 7 };
    const snapshot = { position, config: clusterOf(['a', 'b']), data: 'secret' };
    const entries = entriesOf(position, [
      { type: 'command', command: 'secret' },
      { type: 'config', config: clusterOf(['a']) },
    ]);
    const found = { currentTerm: 3, votedFor: 'b', generation: 5, snapshot, entries };
    const [start = ''] = linesOf([], found);
    expect(start).not.toContain('secret');
    expect(parseLine(start)).toMatchObject({
      run: 5,
      term: 3,
      vote: 'b',
      commit: 7,
      last: { term: 2, index: 9 },
      config: clusterOf(['a']),
      snapshot: { position, config: clusterOf(['a', 'b']) },
      entries: {
        after: position,
        list: [
          [2, '667c6911'],
          [2, clusterOf(['a'])],
        ],
      },
    });
  });

  it('begin anew with each subscription: each is a run', () => {
    const lines: string[] = [];
    const core = traced(raft<string, string>(config), {
      ...config,
      write: (line) => lines.push(line),
    });
    for (let run = 0; run < 2; run += 1) EMPTY.pipe(core).subscribe();
    expect(lines.slice(0, lines.length / 2)).toEqual(lines.slice(lines.length / 2));
    expect(lines.filter((line) => line.startsWith('{"version":1,'))).toHaveLength(2);
  });

  it('are written before what they tell of goes on', () => {
    const order: string[] = [];
    const write = (line: string): number => order.push(parseLine(line).event);
    const input$ = new Subject<Told>();
    input$
      .pipe(
        traced(raft<string, string>(config), { ...config, write }),
        tap((action) => order.push(`> ${action.type}`)),
      )
      .subscribe();
    input$.next(persisted(1));
    expect(order).toEqual(
      [
        ['start', 'becomeFollower', '> roleChanged', 'configuration', '> configChanged'],
        ['> setElectionTimeout', 'append', 'persist', '> persist', 'persisted'],
      ].flat(),
    );
  });

  it('tell of a snapshot, and what stands behind it', () => {
    const snapshot = { position: { term: 4, index: 20 }, config: clusterOf(['a', 'b']), data: '' };
    const lines = linesOf([
      { type: 'snapshotReceived', from: 'b', term: 4, snapshot },
      persisted(1),
    ]);
    expect(eventsOf(lines).filter((event) => !/become|configuration/.test(event))).toEqual(
      // The first configuration was on its way to the disk when the snapshot took its place.
      [
        'start',
        'append',
        'persist',
        'receiveSnapshot',
        'snapshot',
        'persist',
        'commit',
        'persisted',
      ],
    );
    expect(parseLine(lines.at(-1) ?? '')).toMatchObject({ last: snapshot.position, commit: 20 });
  });
});

describe('the digest of a command', () => {
  const digestOf = (command: unknown, digest?: (command: unknown) => string): unknown => {
    const lines: string[] = [];
    const write = (line: string): number => lines.push(line);
    const entries = entriesOf({ term: 0, index: 0 }, [{ type: 'command', command }]);
    const options = { id: 'a', write, entries, ...(digest ? { digest } : {}) };
    EMPTY.pipe(traced<unknown, unknown>(raft({ id: 'a', entries }), options)).subscribe();
    const [start = ''] = lines;
    return (parseLine(start) as { entries?: { list: unknown[][] } }).entries?.list[0]?.[1];
  };

  it('is FNV-1a of bytes, of text, and of other values as JSON', () => {
    // The test vectors of its authors: "" and "foobar".
    expect(digestOf('')).toBe('811c9dc5');
    expect(digestOf('foobar')).toBe('bf9cf968');
    expect(digestOf(new TextEncoder().encode('foobar'))).toBe('bf9cf968');
    expect(digestOf(undefined)).toBe('811c9dc5');
    expect(digestOf({ a: 1 })).toBe(digestOf('{"a":1}'));
    expect(digestOf({ a: 1 })).not.toBe(digestOf({ a: 2 }));
  });

  it('may be another', () => {
    expect(digestOf({ a: 1 }, (command) => `own ${JSON.stringify(command)}`)).toBe('own {"a":1}');
  });
});

describe('a traced core', () => {
  it('is the core itself without options', () => {
    const core = raft(config);
    expect(traced(core, null)).toBe(core);
  });

  it(
    'says the same in the same frames',
    marbles((m) => {
      const inputs = {
        q: persisted(1),
        t: { type: 'timedOut' },
        p: persisted(2),
        v: vote,
      } as const;
      const write = (): void => undefined;
      const core = raft<string, string>(config);
      for (const each of [core, traced(core, { ...config, write })]) {
        const input$ = m.hot<Told>('------q-t----p--v-----|', inputs);
        const letter$ = input$.pipe(each, map(letterOf));
        m.expect(letter$).toBeObservable('(Fcsw)--(Csw)m--(Lsmw)|');
      }
    }),
  );

  it('does the same in a whole cluster', () => {
    const run = (isTraced: boolean): TracedCluster => {
      const cluster = new TracedCluster({ traced: isTraced, turns: true, loss: 0.1, writeMs: 9 });
      for (let count = 0; count < 20; count += 1) {
        cluster.propose(cluster.leader());
        cluster.run(30);
      }
      cluster.stop();
      return cluster;
    };
    const [plain, seen] = [run(false), run(true)];
    expect(plain.lines).toEqual([]);
    expect(seen.lines.length).toBeGreaterThan(500);
    expect(seen.actions).toEqual(plain.actions);
  });

  it('writes the same lines for the same seed', () => {
    const lines = [1, 2].map(() => {
      const cluster = randomRun(7, 40);
      cluster.stop();
      return cluster.lines;
    });
    expect(lines[0]).toEqual(lines[1]);
  });

  it('ends with what `write` throws, and with the error of the inputs', () => {
    const full = new Error('the disk is full');
    const broken = new Error('broken');
    const errors: unknown[] = [];
    const error = (reason: unknown): number => errors.push(reason);
    let count = 0;
    const write = (): void => {
      count += 1;
      if (count > 3) throw full;
    };
    const actions: Action[] = [];
    EMPTY.pipe(traced(raft(config), { ...config, write })).subscribe({
      next: (action) => actions.push(action),
      error,
    });
    throwError(() => broken)
      .pipe(traced(raft(config), { ...config, write: () => undefined }))
      .subscribe({ error });
    expect(errors).toEqual([full, broken]);
    expect(actions.map((each) => each.type)).not.toContain('persist');
  });

  it('counts an empty log as one', () => {
    const entries = emptyEntries();
    expect(eventsOf(linesOf([], { entries }))[0]).toBe('start');
  });
});
