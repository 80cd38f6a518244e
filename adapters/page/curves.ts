/** Two curves of the last minute: what the cluster does in a second, and how long it takes. */
import type { TemplateResult } from 'lit/html.js';
import { html, svg } from 'lit/html.js';
import type { Sample } from './samples.js';
import { maxSamples } from './samples.js';

const width = 480;
const height = 96;

type Series = (sample: Sample) => number | null;

export function curves(list: readonly Sample[], newest: Sample): TemplateResult {
  const ms = (value: number | null): string => (value === null ? '–' : `${nice(value)} ms`);
  const topRate = roundUp(Math.max(10, ...list.map(({ rate }) => rate)));
  const topMs = roundUp(Math.max(1, ...list.map(({ p99Ms }) => p99Ms ?? 0)));
  return html` <figure>
      <figcaption>
        <span>Requests done</span>
        <b>${nice(newest.rate)}<small> /s</small></b>
      </figcaption>
      ${chart(`${nice(newest.rate)} requests a second`, `${nice(topRate)}/s`, [
        area(list, topRate, ({ rate }) => rate),
        line('rate', list, topRate, ({ rate }) => rate),
      ])}
    </figure>
    <figure>
      <figcaption>
        <span>Time to answer</span>
        <b>
          <span><i class="key median"></i>${ms(newest.medianMs)}<small> median</small></span>
          <span><i class="key p99"></i>${ms(newest.p99Ms)}<small> p99</small></span>
        </b>
      </figcaption>
      ${chart(`median ${ms(newest.medianMs)}, p99 ${ms(newest.p99Ms)}`, `${nice(topMs)} ms`, [
        line('p99', list, topMs, ({ p99Ms }) => p99Ms),
        line('median', list, topMs, ({ medianMs }) => medianMs),
      ])}
    </figure>`;
}

function chart(label: string, top: string, content: unknown): TemplateResult {
  return html`<svg
    class="chart"
    viewBox="0 0 ${width} ${height + 16}"
    role="img"
    aria-label=${`The last minute; now ${label}`}
  >
    <line class="grid" x1="0" x2=${width} y1="8" y2="8"></line>
    <line class="grid" x1="0" x2=${width} y1=${height / 2 + 4} y2=${height / 2 + 4}></line>
    <line class="grid base" x1="0" x2=${width} y1=${height} y2=${height}></line>
    ${content}
    <text class="scale" x="0" y="20">${top}</text>
    <text class="scale" x="0" y=${height + 14}>a minute ago</text>
    <text class="scale end" x=${width} y=${height + 14}>now</text>
  </svg>`;
}

function pathOf(list: readonly Sample[], top: number, series: Series): string {
  let path = '';
  let isDown = false;
  list.forEach((sample, at) => {
    const value = series(sample);
    if (value === null) {
      isDown = false;
      return;
    }
    const x = width - ((list.length - 1 - at) * width) / (maxSamples - 1);
    const y = height - (Math.min(value, top) / top) * (height - 8);
    path += `${isDown ? 'L' : 'M'}${x.toFixed(1)},${y.toFixed(1)}`;
    // A point by itself is seen too.
    if (!isDown) path += 'h0.1';
    isDown = true;
  });
  return path;
}

function line(name: string, list: readonly Sample[], top: number, series: Series): TemplateResult {
  return svg`<path class="curve ${name}" d=${pathOf(list, top, series)}></path>`;
}

function area(list: readonly Sample[], top: number, series: Series): TemplateResult {
  const path = pathOf(list, top, series);
  const begin = width - ((list.length - 1) * width) / (maxSamples - 1);
  const closed = path === '' ? '' : `${path}L${width},${height}L${begin.toFixed(1)},${height}z`;
  return svg`<path class="area" d=${closed}></path>`;
}

/** 1, 2 or 5 times a power of ten. */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((each) => each * power >= value) ?? 10) * power;
}

/** At most three digits that matter. */
export function nice(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value >= 10 || value === 0 ? String(Math.round(value)) : value.toFixed(1);
}
