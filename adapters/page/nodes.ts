/** The nodes side by side: what each is, its log against those of the others, and its buttons. */
import type { TemplateResult } from 'lit/html.js';
import { html, nothing } from 'lit/html.js';
import type { ControlRequest, ProcessState } from '../live/control-protocol.js';
import type { NodeId } from '../../lib/position.js';
import type { PeerProgress, StatusFrame } from '../live/protocol.js';
import type { Model, NodeView } from './model.js';
import { isHeard } from './model.js';

export interface NodesOptions {
  readonly model: Model;
  /** As `start` said last; null where nodes can't be stopped and started. */
  readonly processes: Readonly<Record<string, ProcessState>> | null;
  /** The line to `start` is lost: nothing can be stopped or started. */
  readonly isControlLost: boolean;
  readonly send: (request: ControlRequest) => void;
  /** Entries of the logs side by side. */
  readonly columns: number;
}

/** Before a log has been drawn. */
const usualWidth = 300;
const minColumns = 4;
const maxColumns = 20;

/** The one thing that everybody wants to try, where it can be done. */
export function nodesHeading(options: NodesOptions): TemplateResult {
  const { model, processes, isControlLost, send } = options;
  const leader = model.leader?.id;
  return html`<h2>Nodes</h2>
    ${
      processes === null
        ? html`<small>The page whose address start prints can kill and start them.</small>`
        : html`${isControlLost ? lost : nothing}<button
              type="button"
              class="stop"
              ?disabled=${leader === undefined || isControlLost}
              @click=${() => {
                if (leader !== undefined) send({ type: 'stop', node: leader });
              }}
            >
              Kill the leader
            </button>`
    }`;
}

const lost = html`<small role="status" class="lost"
  >start does not answer: until it does, nothing can be killed or started here. If it runs again,
  open the address that it has printed last.</small
>`;

/** As many squares as the log has room for, with the newest terms in them. */
export function columnsOf(model: Model, width = usualWidth): number {
  const terms = model.heard.map(({ status }) => status.log.last.term);
  const squareWidth = 8 + 7 * String(Math.max(0, ...terms)).length;
  return Math.min(maxColumns, Math.max(minColumns, Math.floor(width / squareWidth)));
}

export function nodeRows(options: NodesOptions): TemplateResult {
  const { model, processes } = options;
  const end = Math.max(options.columns, ...model.heard.map(({ status }) => status.log.last.index));
  const peers = new Map((model.leader?.status?.peers ?? []).map((peer) => [peer.id, peer]));
  const begin = end - options.columns + 1;
  return html` <div class="row titles" aria-hidden="true">
      <span class="id">Node</span><span class="what">Role</span> <span class="number">Commit</span
      ><span class="number">Applied</span>
      <span class="progress">Leader sees</span>
      <span class="log"><span>Log: terms of entries ${begin} …</span><span>${end}</span></span>
      ${processes === null ? nothing : html`<span class="buttons"></span>`}
    </div>
    ${model.order.map((id) => {
      const node = model.nodes.get(id);
      return node === undefined ? nothing : row(options, node, peers.get(id), begin);
    })}`;
}

function row(
  options: NodesOptions,
  node: NodeView,
  peer: PeerProgress | undefined,
  begin: number,
): TemplateResult {
  const { id, address } = node;
  const known = options.processes?.[id];
  const process = options.isControlLost ? undefined : known;
  const status = statusOf(node, process);
  const role = status?.role ?? 'away';
  return html`<div class="row ${role}" role="group" aria-label="node ${id}" data-node=${id}>
    <span class="id" title="${address}${status === null ? '' : `, process ${status.pid}`}"
      >${id}</span
    >
    <span class="what" data-role=${role}>
      <b>${wordFor(node, role, process)}</b>
      ${status === null ? silence(node) : html`<small>term ${status.term}</small>`}
    </span>
    <span class="number"><label>commit</label>${status?.commit ?? '–'}</span>
    <span class="number"><label>applied</label>${status?.applied ?? '–'}</span>
    <span class="progress">${progress(options.model, node, peer)}</span>
    ${log(options, id, status, peer, begin)}
    ${known === undefined ? nothing : buttons(options, id, known)}
  </div>`;
}

/** What a node is now, as far as that is known. */
function statusOf(node: NodeView, process: ProcessState | undefined): StatusFrame | null {
  return isHeard(node) && process !== 'frozen' ? node.status : null;
}

function wordFor(node: NodeView, role: string, process: ProcessState | undefined): string {
  if (process === 'frozen') return 'frozen';
  if (role !== 'away') return role;
  if (process === 'stopped') return 'killed';
  if (process === 'ended') return 'ended';
  if (node.isSilent) return 'silent';
  return process === 'running' ? 'starting' : 'out of reach';
}

function silence({ isSilent, heardAt }: NodeView): TemplateResult | typeof nothing {
  if (!isSilent) return nothing;
  return html`<small>for ${Math.floor((performance.now() - heardAt) / 1000)} s</small>`;
}

function progress(
  { leader }: Model,
  { id }: NodeView,
  peer: PeerProgress | undefined,
): TemplateResult | typeof nothing {
  if (leader?.id === id) return html`<span class="muted">itself</span>`;
  if (peer === undefined) return nothing;
  const { matchIndex, nextIndex } = peer;
  const title = 'matchIndex: known to be on its disk; nextIndex: what the leader will send it next';
  return html`<span title=${title}>
    <label>match</label>${matchIndex} <span class="muted">next ${nextIndex}</span>
  </span>`;
}

/** One square for each entry, in the column of its index. */
function log(
  { columns }: NodesOptions,
  id: NodeId,
  status: StatusFrame | null,
  peer: PeerProgress | undefined,
  begin: number,
): TemplateResult {
  const entries = new Map(status?.log.entries.map((cell) => [cell.index, cell]));
  const { last, snapshot } = status?.log ?? { last: null, snapshot: 0 };
  const text =
    last === null || status === null
      ? `the log of ${id} is not known`
      : `log of ${id}: up to ${last.index} of term ${last.term}, committed to ${status.commit}` +
        (snapshot > 0 ? `, a snapshot up to ${snapshot}` : '');
  const cells = Array.from({ length: columns }, (_, at) => {
    const index = begin + at;
    const cell = entries.get(index);
    if (cell === undefined || status === null) {
      const isInSnapshot = index > 0 && index <= snapshot;
      return html`<i class=${isInSnapshot ? 'cell compact' : 'cell'}></i>`;
    }
    const isCommitted = index <= status.commit;
    const match = peer !== undefined && index <= peer.matchIndex ? ' matched' : '';
    const kind = {
      command: `commands, ${cell.bytes} bytes`,
      term: 'the marker of a new term',
      config: 'a configuration',
    }[cell.type];
    const title = `entry ${index}, term ${cell.term}: ${kind}${isCommitted ? ', committed' : ''}`;
    const tone = `cell term${cell.term % 6}${isCommitted ? ' committed' : ' open'}${match}`;
    return html`<i class=${tone} title=${title}>${cell.term}</i>`;
  });
  return html`<span class="log" role="img" aria-label=${text}>${cells}</span>`;
}

function buttons(
  { send, isControlLost }: NodesOptions,
  node: string,
  process: ProcessState,
): TemplateResult {
  const button = (type: ControlRequest['type'], word: string, title: string): TemplateResult =>
    html`<button
      type="button"
      class=${type}
      data-do=${type}
      title=${title}
      ?disabled=${isControlLost}
      aria-label="${word} ${node}"
      @click=${() => send({ type, node })}
    >
      ${word}
    </button>`;
  const isUp = process === 'running' || process === 'frozen';
  return html`<span class="buttons">
    ${
      process === 'frozen'
        ? button('thaw', 'Thaw', 'SIGCONT: it goes on where it stood')
        : process === 'running'
          ? button('freeze', 'Freeze', 'SIGSTOP: it stands still, and its sockets stay open')
          : nothing
    }
    ${
      isUp
        ? button('stop', 'Kill', 'kill -9: nothing that was acknowledged is lost')
        : button('start', 'Start', 'a new process on the same disk')
    }
  </span>`;
}
