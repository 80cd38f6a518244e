/**
 * What must not compile. Each example is a file of its own beside this one, which exists in memory
 * only; all of them are compiled together, once, with the project's own options. Every one that is
 * wrong has a twin that is right, so that no example fails for another reason than the one it is
 * about.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Says in TypeScript what every example may use. */
const prelude = `
import type { OperatorFunction } from 'rxjs';
import { map, of } from 'rxjs';
import type * as Raft from '../../lib/index.js';
import { deviceOf, loop, Node, ofType, raft } from '../../lib/index.js';
declare const clock: OperatorFunction<Raft.ClockAction, Raft.ClockInput>;
declare const storage: OperatorFunction<Raft.StorageAction<string, Data>, Raft.StorageInput>;
declare const network: OperatorFunction<
  Raft.NetworkAction<string, Data>,
  Raft.NetworkInput<string, Data>
>;
declare const machine: OperatorFunction<
  Raft.MachineAction<string, Data>,
  Raft.MachineInput<string, Data>
>;
declare const action: Raft.Action<string, Data>;
declare const node: Node<string, Data>;
interface Data { readonly state: string }
const core = raft<string, Data>({ id: 'a' });
export const used = [clock, storage, network, machine, action, node, core];
export const usedToo = [of, map, ofType, deviceOf, loop];
export type Used = Raft.Input;
`;

interface Example {
  readonly about: string;
  readonly wrong: string;
  readonly right: string;
  readonly complaint: RegExp;
}

const examples: Example[] = [
  {
    about: 'a forgotten adapter',
    wrong: 'loop(core, { clock, storage, network });',
    right: 'loop(core, { clock, storage, network, machine });',
    complaint: /'machine' is missing/,
  },
  {
    about: 'an adapter for a device that there is not',
    wrong: 'loop(core, { clock, disk: storage, network, machine });',
    right: 'loop(core, { clock, storage: storage, network, machine });',
    complaint: /'disk' does not exist/,
  },
  ...misplaced(),
  {
    about: 'adapters of another command than the core’s',
    wrong: 'loop(raft<number, Data>({ id: "a" }), { clock, storage, network, machine });',
    right: 'loop(raft<string, Data>({ id: "a" }), { clock, storage, network, machine });',
    complaint: /not assignable/,
  },
  {
    about: 'an input that there is not',
    wrong: 'of({ type: "timeOut" } as const).pipe(core);',
    right: 'of({ type: "timedOut" } as const).pipe(core);',
    complaint: /type: "timeOut"; }' is not assignable to type 'Input<string, Data>'/,
  },
  {
    about: 'an input without what it says',
    wrong: 'of({ type: "persisted" } as const).pipe(core);',
    right: 'of({ type: "persisted", sequence: 1 } as const).pipe(core);',
    complaint: /'sequence' is missing/,
  },
  {
    about: 'a proposal of another command',
    wrong: 'node.handle({ type: "proposed", proposal: 1, commands: [1] });',
    right: 'node.handle({ type: "proposed", proposal: 1, commands: ["1"] });',
    complaint: /'number' is not assignable to type 'string'/,
  },
  {
    about: 'a core that is given its own actions',
    wrong: 'of(action).pipe(core);',
    right: 'of(action).pipe(map((): Raft.Input<string, Data> => ({ type: "timedOut" })), core);',
    complaint: /not assignable/,
  },
  {
    about: 'writing to an action',
    wrong: 'if (action.type === "setElectionTimeout") action.role = "leader";',
    right: 'if (action.type === "setElectionTimeout") void (action.role === "leader");',
    complaint: /'role' because it is a read-only/,
  },
  {
    about: 'writing into what an action holds',
    wrong: 'if (action.type === "apply") action.entries.terms.push({ index: 1, term: 1 });',
    right: 'if (action.type === "apply") action.entries.terms.at(0);',
    complaint: /'push' does not exist on type 'readonly TermRun\[\]'/,
  },
  {
    about: 'writing into a message that was received',
    wrong:
      'export const f = (m: Raft.AppendEntriesCall) => { m.entries.prevPosition.index += 1; };',
    right: 'export const f = (m: Raft.AppendEntriesCall) => m.entries.prevPosition.index + 1;',
    complaint: /'index' because it is a read-only/,
  },
  {
    about: 'changing a configuration in force',
    wrong: 'node.config.voters.push("d");',
    right: 'node.proposeConfig({ ...node.config, nonVoters: ["d"] });',
    complaint: /'push' does not exist/,
  },
  {
    about: 'making a node the leader by decree',
    wrong: 'node.role = "leader";',
    right: 'node.timeOut();',
    complaint: /'role' because it is a read-only/,
  },
  {
    about: 'reaching into a node',
    wrong: 'node.state.commitIndex = 7;',
    right: 'void (node.commitIndex === 7);',
    complaint: /'state' is private/,
  },
  {
    about: 'a table of devices in which an action is missing',
    wrong:
      'export const t = { persist: "storage" } satisfies Record<Raft.Action["type"], unknown>;',
    right: 'export const t = { ...deviceOf } satisfies Record<Raft.Action["type"], unknown>;',
    complaint: /missing the following properties/,
  },
  {
    about: 'a table of devices that sends an action nowhere',
    wrong:
      'export const t: Record<string, Raft.Device | null> = { ...deviceOf, apply: "printer" };',
    right:
      'export const t: Record<string, Raft.Device | null> = { ...deviceOf, apply: "machine" };',
    complaint: /'"printer"' is not assignable/,
  },
  {
    about: 'selecting actions that there are not',
    wrong: 'of(action).pipe(ofType("applied"));',
    right: 'of(action).pipe(ofType("apply"));',
    complaint: /'"applied"' is not assignable/,
  },
  {
    about: 'reading of a selected action what it does not have',
    wrong: 'of(action).pipe(ofType("apply"), map((a) => a.commitIndex));',
    right: 'of(action).pipe(ofType("committed"), map((a) => a.commitIndex));',
    complaint: /'commitIndex' does not exist/,
  },
  {
    about: 'a misspelt option of a node',
    wrong: 'raft({ id: "a", initialVotes: ["a"] });',
    right: 'raft({ id: "a", initialVoters: ["a"] });',
    complaint: /'initialVotes' does not exist/,
  },
  {
    about: 'a misspelt limit',
    wrong: 'raft({ id: "a", limits: { waitingRead: 3 } });',
    right: 'raft({ id: "a", limits: { waitingReads: 3 } });',
    complaint: /'waitingRead' does not exist/,
  },
  {
    about: 'a node without a name',
    wrong: 'raft({ initialVoters: ["a"] });',
    right: 'raft({ id: "a", initialVoters: ["a"] });',
    complaint: /'id' is missing/,
  },
  {
    about: 'a position for a refusal, unseen',
    wrong: 'node.proposeCommand("x").index.toFixed();',
    right: 'const at = node.proposeCommand("x"); if (typeof at !== "string") at.index.toFixed();',
    complaint: /'index' does not exist on type '"notLeader"|on type 'LogPosition \| Refusal'/,
  },
];

/** Every adapter in the place of every other. */
function misplaced(): Example[] {
  const devices = ['clock', 'storage', 'network', 'machine'];
  return devices.flatMap((place) =>
    devices
      .filter((device) => device !== place)
      .map((device) => ({
        about: `the ${device} in the ${place}’s place`,
        wrong: `loop(core, { ${devices.join(', ').replace(place, `${place}: ${device}`)} });`,
        right: `loop(core, { ${devices.join(', ').replace(place, `${place}: ${place}`)} });`,
        complaint: new RegExp(`^Type 'OperatorFunction<${device}`, 'i'),
      })),
  );
}

const fileOf = (number: number, kind: string): string =>
  join(root, 'marble-tests', 'lib', `compile-error-${number}-${kind}.ts`);

/** What the compiler says of each file, after the prelude. */
function complaints(files: ReadonlyMap<string, string>): Map<string, string[]> {
  const path = join(root, 'tsconfig.json');
  const { config } = ts.readConfigFile(path, (name) => ts.sys.readFile(name)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(path));
  const host = ts.createCompilerHost(options);
  const getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) => {
    const text = files.get(name);
    if (text === undefined) return getSourceFile(name, ...rest);
    return ts.createSourceFile(name, `${prelude}${text}`, ts.ScriptTarget.ES2022);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  const found = new Map<string, string[]>();
  for (const name of files.keys()) {
    const said = ts.getPreEmitDiagnostics(program, program.getSourceFile(name));
    found.set(
      name,
      said.map((each) => ts.flattenDiagnosticMessageText(each.messageText, '\n')),
    );
  }
  return found;
}

describe('does not compile', { timeout: 60_000 }, () => {
  const files = new Map<string, string>();
  examples.forEach(({ wrong, right }, number) => {
    files.set(fileOf(number, 'wrong'), wrong);
    files.set(fileOf(number, 'right'), right);
  });
  let said: Map<string, string[]> | null = null;

  it.each(examples.map((example, number) => ({ ...example, number })))(
    '$about',
    ({ complaint, number }) => {
      said ??= complaints(files);
      expect(said.get(fileOf(number, 'right'))).toEqual([]);
      expect(said.get(fileOf(number, 'wrong'))?.join('\n')).toMatch(complaint);
    },
  );
});
