import type { Aggregate } from '../compiled.ts'
import type { Chosen } from './chosen.ts'
import type { EntityOrder } from './entity-order.ts'

/** Of each event, in the order of an `EntityOrder`: its window, [from, to) of the same order. */
export interface Spans {
  readonly from: Int32Array
  readonly to: Int32Array
}

/** Where the windows of an aggregate begin and end. Both only move on within an entity and after. */
export function spansOf(
  { starts, times }: EntityOrder,
  { windowUs, delayUs, current }: Aggregate,
): Spans {
  const from = new Int32Array(times.length)
  const to = new Int32Array(times.length)
  for (let entity = 0; entity + 1 < starts.length; entity++) {
    let [first, end] = [starts[entity], starts[entity]]
    for (let i = starts[entity]; i < starts[entity + 1]; i++) {
      const lastUs = times[i] - delayUs
      if (delayUs > 0) while (times[end] <= lastUs) end++
      else end = current === 'included' ? i + 1 : i
      const afterUs = lastUs - (windowUs ?? Infinity)
      while (first < end && times[first] <= afterUs) first++
      from[i] = first
      to[i] = end
    }
  }
  return { from, to }
}

/** The same windows, cut down to the newest so many events among the chosen ones. */
export function newestOf({ from, to }: Spans, { before, positions }: Chosen, events: number) {
  const later = from.map((start, i) => {
    const oldest = before[to[i]] - events
    return oldest > before[start] ? positions[oldest] : start
  })
  return { from: later, to }
}
