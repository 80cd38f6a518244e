/** The marble diagram as it is drawn: lines, messages, the axis of time. */
import type { TemplateResult } from 'lit/html.js';
import { nothing, svg } from 'lit/html.js';
import { repeat } from 'lit/directives/repeat.js';
import type { NodeId } from '../../lib/position.js';
import type { MessageKind } from '../live/protocol.js';
import { kindNames, kinds } from './kinds.js';
import { countedOf, namesOf } from './labels.js';
import type { Line, Marble, Timeline } from './timeline.js';

export interface Scene {
  readonly timeline: Timeline;
  /** The lines from top to bottom. */
  readonly order: readonly NodeId[];
  readonly width: number;
  readonly laneHeight: number;
  /** The time at the right edge, and the pixels of a millisecond. */
  readonly edge: number;
  readonly scale: number;
  /** Where the moving group has its zero: all positions are relative to it. */
  readonly zero: number;
  readonly hidden: ReadonlySet<MessageKind>;
  readonly selected: number | null;
}

const axisHeight = 26;

/** A message that nobody has reported to have arrived after so long is shown as lost. */
const lostMs = 1200;

export const heightOf = (scene: Pick<Scene, 'order' | 'laneHeight'>): number =>
  scene.order.length * scene.laneHeight + axisHeight;

export const laneY = (laneHeight: number, lane: number): number => (lane + 0.5) * laneHeight;

export function definitions(): TemplateResult {
  return svg`<defs>${kindNames.map(
    (name) => svg`<path id="shape-${name}" d=${kinds[name].shape}></path>`,
  )}</defs>`;
}

/** What moves: the parent shifts it as time passes. */
export function moving(scene: Scene): TemplateResult {
  const since = scene.edge - (scene.width + 40) / scene.scale;
  const seen = scene.timeline.marbles.filter(
    ({ at, node, seen: { kind } }) =>
      at >= since && at <= scene.edge + 1000 && !scene.hidden.has(kind) && laneOf(scene, node) >= 0,
  );
  const counted = countedOf(seen, scene.scale);
  return svg`
    ${ticks(scene, since)}
    ${scene.order.map((id, lane) => stretches(scene, scene.timeline.line(id), lane, since))}
    <g>${repeat(
      seen,
      ({ key }) => key,
      (marble) => joins(scene, marble),
    )}</g>
    <g>${marbles(scene, seen, counted, true)}</g>
    <g>${marbles(scene, seen, counted, false)}</g>`;
}

/** Those that matter stand before those that go without saying. */
function marbles(
  scene: Scene,
  seen: readonly Marble[],
  counted: ReadonlySet<Marble>,
  isRoutine: boolean,
): unknown {
  return repeat(
    seen.filter((each) => kinds[each.seen.kind].isRoutine === isRoutine),
    ({ key }) => key,
    (marble) => marbleView(scene, marble, counted.has(marble)),
  );
}

const laneOf = (scene: Scene, id: NodeId): number => scene.order.indexOf(id);

function xOf({ zero, scale }: Scene, at: number): number {
  return Math.round((at - zero) * scale * 10) / 10;
}

function stretches(scene: Scene, line: Line, lane: number, since: number): TemplateResult {
  const y = laneY(scene.laneHeight, lane);
  const end = scene.edge + 1500;
  const shown = line.stretches.map((each, at, all) => ({
    ...each,
    until: all[at + 1]?.at ?? end,
    isNew: each.at > since,
  }));
  const names = namesOf(
    shown.filter(({ isNew }) => isNew),
    scene.scale,
  );
  const marks = line.commits.filter(({ at }) => at >= since);
  return svg`${shown
    .filter(({ until }) => until > since)
    .map((stretch) => {
      const { at, until, role } = stretch;
      const x = xOf(scene, Math.max(at, since));
      const name = names.get(stretch);
      const labelY = role === 'leader' ? y - 15 : y + 24;
      return svg`
        <line class="stretch ${role}" x1=${x} x2=${xOf(scene, until)} y1=${y} y2=${y}></line>
        ${
          name === undefined
            ? nothing
            : svg`<text class="role ${role}" x=${x + 2} y=${labelY}>${name}</text>`
        }`;
    })}
    ${marks.map(({ at }) => {
      const x = xOf(scene, at);
      return svg`<line class="commit" x1=${x} x2=${x} y1=${y + 10} y2=${y + 15}></line>`;
    })}`;
}

/** To each receiver: a line to the moment when it had the message, or a stub. */
function joins(scene: Scene, marble: Marble): TemplateResult {
  const { node, at, arrivals, seen } = marble;
  const x = xOf(scene, at);
  const y = laneY(scene.laneHeight, laneOf(scene, node));
  const tone = `${seen.kind}${kinds[seen.kind].isRoutine ? ' routine' : ''}`;
  return svg`${[...arrivals].map(([id, arrival]) => {
    const lane = laneOf(scene, id);
    if (lane < 0) return nothing;
    const target = laneY(scene.laneHeight, lane);
    if (arrival !== null) {
      const end = xOf(scene, arrival);
      return svg`
        <line class="join ${tone}" x1=${x} y1=${y} x2=${end} y2=${target}></line>
        <circle class="arrival ${tone}" cx=${end} cy=${target} r="2.5"></circle>`;
    }
    // Not said yet, and most likely never.
    if (scene.edge - at < lostMs) return nothing;
    const stub = y + (target > y ? 30 : -30);
    const lower = y + (target > y ? 12 : -12);
    return svg`
      <line class="join lost ${tone}" x1=${x} y1=${lower} x2=${x} y2=${stub}></line>
      <path class="lost-end ${tone}" d="M${x - 3},${stub - 3}l6,6m0,-6l-6,6"></path>`;
  })}`;
}

function marbleView(
  scene: Scene,
  { key, node, at, seen }: Marble,
  isCounted: boolean,
): TemplateResult {
  const { letter, isRoutine } = kinds[seen.kind];
  const x = xOf(scene, at);
  const y = laneY(scene.laneHeight, laneOf(scene, node));
  const chosen = scene.selected === key ? ' chosen' : '';
  const tone = `${seen.kind}${isRoutine ? ' routine' : ''}${chosen}`;
  const down = seen.kind === 'voteGranted' ? 4.5 : seen.kind === 'voteDenied' ? 1 : 3.2;
  return svg`<g class="marble ${tone}" data-key=${key} transform="translate(${x},${y})">
    <circle class="touch" r="12"></circle>
    <use href="#shape-${seen.kind}"></use>
    <text y=${down}>${letter}</text>
    ${isCounted ? svg`<text class="count" y="-11">×${seen.count}</text>` : nothing}
  </g>`;
}

const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

function ticks(scene: Scene, since: number): TemplateResult {
  const stepMs = steps.find((each) => each * scene.scale >= 110) ?? 20_000;
  const bottom = scene.order.length * scene.laneHeight;
  // On whole seconds of the page's wall clock.
  const origin = performance.timeOrigin;
  const first = Math.ceil((since + origin) / stepMs) * stepMs - origin;
  const count = Math.max(0, Math.ceil((scene.edge + 1000 - first) / stepMs));
  return svg`${Array.from({ length: count }, (_, at) => {
    const time = first + at * stepMs;
    const x = xOf(scene, time);
    return svg`
      <line class="tick" x1=${x} x2=${x} y1="0" y2=${bottom}></line>
      <text class="time" x=${x} y=${bottom + 17}>${clockText(origin + time, stepMs)}</text>`;
  })}`;
}

export function clockText(epochMs: number, stepMs: number): string {
  const date = new Date(Math.round(epochMs));
  const two = (part: number): string => String(part).padStart(2, '0');
  const whole = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  if (stepMs >= 1000) return whole;
  return `${whole}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
