/**
 * The contracts of the adapters as suites, to run on an adapter of your own. Each takes what your
 * test runner calls a test, and throws plain Errors:
 *
 *     import { it } from 'vitest';
 *     import { storageAcceptance } from 'rxraft/testing';
 *
 *     storageAcceptance(it, () => ({ open: () => myStore('./here') }));
 *
 * And the simulator, which puts a reducer, a store, or a core of your own under faults, in virtual
 * time:
 *
 *     it('survives', () => simulate({ seed: 1, reducer, initialState, command }));
 */
export { check, checkEqual } from './check.js';
export { clockAcceptance, type ClockUnderTest } from './clock-acceptance.js';
export { machineAcceptance, type MachineUnderTest } from './machine-acceptance.js';
export { networkAcceptance, type NetworkUnderTest } from './network-acceptance.js';
export { storageAcceptance } from './storage-acceptance.js';
export type { StoragePlace } from './storage-run.js';

// Whole clusters in virtual time.
export { simulate, type SimulationOptions, type SimulationReport } from './simulation/simulate.js';
export { Violation, type Again } from './simulation/violation.js';
export { faultKinds, type FaultCounts, type FaultKind } from './simulation/faults.js';
export type { Application, Put, Registers } from './simulation/application.js';
export type { DiagramOptions } from './simulation/diagram.js';
export type { HistoryLine } from './simulation/history.js';
export type { StorePlace } from './simulation/disk.js';
export type { Core } from './simulation/member.js';
export type { SimulatedAction, SimulatedInput } from './simulation/witness.js';
export { Random } from './simulation/random.js';
