/**
 * rxraft: Raft consensus as an RxJS operator.
 *
 *                input$                                     action$
 *      ┌──────────────────────► raft(config) ──────────────────────────┐
 *      │   received, timedOut,   the consensus core:   sendMessage,     │
 *      │   proposed, persisted   no I/O, no clock,     persist, apply,  │
 *      │   …                     no chance             setElection…, …  │
 *      └───────────────────────── adapters ◄───────────────────────────┘
 *                    clock · storage · network · machine
 *                    each an OperatorFunction<its actions, its inputs>
 */

// The operator and the circle.
export { raft } from './raft.js';
export { deviceOf, loop, type Adapters, type Device } from './loop.js';
export {
  ofType,
  selectCommitIndex,
  selectCommitted,
  selectLeader,
  selectRole,
} from './selectors.js';

// What goes in, what comes out, and what nodes say to each other.
export type { ClockInput, Input, MachineInput, NetworkInput, StorageInput } from './input.js';
export type {
  Action,
  ClockAction,
  DropReason,
  HardState,
  MachineAction,
  NetworkAction,
  Refusal,
  Report,
  Role,
  StorageAction,
} from './action.js';
export type {
  AppendEntriesCall,
  AppendEntriesReply,
  Message,
  RemovalNotice,
  RequestVoteCall,
  RequestVoteReply,
} from './message.js';

// What a node is made from.
export {
  ConfigError,
  defaultLimits,
  type Limits,
  type RaftConfig,
  type Recovered,
} from './config.js';
export { InvariantError } from './invariant.js';

// The node by hand, without streams.
export { Node, type CommitStatus, type LogView, type Progress } from './node.js';

// Values.
export {
  comparePositions,
  origin,
  samePosition,
  type LogIndex,
  type LogPosition,
  type NodeGeneration,
  type NodeId,
  type Term,
} from './position.js';
export {
  clusterOf,
  faultOf,
  faultOfNodeId,
  isJointConsensus,
  isMember,
  isVoter,
  toFinalConfig,
  toJointConsensus,
  uniqueNodes,
  type ClusterConfig,
} from './cluster-config.js';
export {
  appendEntries,
  contains,
  containsIndex,
  emptyEntries,
  entriesOf,
  entryAt,
  lastIndex,
  lastPosition,
  positionedEntries,
  termAt,
  truncate,
  type ConfigEntry,
  type LogEntries,
  type LogEntry,
  type PositionedEntry,
  type TermRun,
} from './entries.js';
export type { Snapshot } from './snapshot.js';
