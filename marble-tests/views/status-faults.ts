/** What contradicts itself within one status, whatever was told before. */
import type { Load, LogTail, StatusFrame } from '../../adapters/live/protocol.js';

/** In words. */
export function faultsOfStatus(status: StatusFrame): string[] {
  const { node, role, leader, commit, applied, log, peers, load, members } = status;
  const faults: string[] = [];
  if ((role === 'leader') !== (leader === node)) faults.push(`a ${role} whom ${leader} leads`);
  if (role === 'candidate' && leader !== null) faults.push(`a candidate whom ${leader} leads`);
  if (applied > commit) faults.push(`${applied} applied and ${commit} committed`);
  if (commit > log.last.index) faults.push(`${commit} committed in a log up to ${log.last.index}`);
  if (!Object.hasOwn(members, node)) faults.push('a node that does not know itself');
  if (role !== 'leader' && peers.length > 0) faults.push(`a ${role} that brings peers forward`);
  for (const { id, matchIndex, nextIndex } of peers) {
    const isWrong = id === node || matchIndex >= nextIndex || matchIndex > log.last.index;
    if (isWrong) faults.push(`${id} at ${matchIndex}, next ${nextIndex} of ${log.last.index}`);
  }
  if (new Set(peers.map(({ id }) => id)).size < peers.length) faults.push('a peer twice');
  return [...faults, ...faultsOfLog(log), ...faultsOfLoad(load)];
}

function faultsOfLog({ last, snapshot, entries }: LogTail): string[] {
  const faults: string[] = [];
  if (snapshot > last.index) faults.push(`a snapshot up to ${snapshot} in a log to ${last.index}`);
  entries.forEach(({ index, term }, at) => {
    const before = entries[at - 1];
    if (before === undefined) return;
    if (index !== before.index + 1) faults.push(`entry ${index} behind ${before.index}`);
    if (term < before.term) faults.push(`entry ${index} of term ${term} behind ${before.term}`);
  });
  const end = entries.at(-1);
  if (end !== undefined && (end.index !== last.index || end.term !== last.term)) {
    faults.push(`a log up to ${last.index} whose last entry is ${end.index}`);
  }
  return faults;
}

function faultsOfLoad({ answered, failed, medianMs, p99Ms }: Load): string[] {
  const faults: string[] = [];
  if (failed > answered) faults.push(`${failed} of ${answered} requests failed`);
  const areTimed = medianMs !== null && p99Ms !== null;
  if (areTimed !== answered > 0) faults.push(`${answered} requests, and ${medianMs} ms`);
  if ((medianMs ?? 0) > (p99Ms ?? 0)) faults.push(`a median of ${medianMs} ms above the rest`);
  return faults;
}
