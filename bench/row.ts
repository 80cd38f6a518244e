/**
 * One line of the result: a figure, what was measured beside it in the same rounds, and the aim.
 */
import { median, medianRatio } from './statistics.js';

/** Of times, less is better; of `perSecond`, more. */
export type Unit = 'ns' | 'µs' | 'ms' | 'perSecond';

export interface Aim {
  readonly of: 'ratio' | 'value';
  readonly least?: number;
  readonly most?: number;
}

export interface Row {
  readonly part: string;
  readonly case: string;
  readonly value: number;
  readonly unit: Unit;
  /** Measured side by side. */
  readonly beside?: { readonly name: string; readonly value: number };
  /** How many times as fast as what is beside it: the median over the rounds. Above 1 is faster. */
  readonly ratio?: number;
  readonly aim?: Aim;
  /** What else was measured, by name: the unit is the name's last word. */
  readonly more?: Readonly<Record<string, number>>;
}

/** What a row is about, before its figures are known. */
export type Heading = Pick<Row, 'part' | 'case' | 'unit' | 'aim' | 'more'>;

export interface Beside {
  readonly name: string;
  readonly values: readonly number[];
}

/** The row of what was measured round by round. */
export function rowOf(heading: Heading, values: readonly number[], beside?: Beside): Row {
  const { aim, ...rest } = heading;
  const value = median(values);
  if (beside === undefined) return { ...rest, value, ...(aim?.of === 'value' && { aim }) };
  const faster = heading.unit === 'perSecond' ? values : beside.values;
  const slower = heading.unit === 'perSecond' ? beside.values : values;
  return {
    ...rest,
    value,
    beside: { name: beside.name, value: median(beside.values) },
    ratio: medianRatio(faster, slower),
    ...(aim !== undefined && { aim }),
  };
}

/** Is its aim met? Null: it has none. */
export function isMet(row: Row): boolean | null {
  const { aim } = row;
  if (aim === undefined) return null;
  const value = aim.of === 'ratio' ? row.ratio : row.value;
  if (value === undefined) return null;
  return value >= (aim.least ?? -Infinity) && value <= (aim.most ?? Infinity);
}
