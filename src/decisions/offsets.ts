// How far each partition of a log has been taken in. It follows from the journal's records alone, so
// what a message did and that it was read are on disk in one record, or neither is.
import type { Origin } from './records.ts'

/** As a checkpoint keeps it: the next position of each partition, and what was taken in beyond it. */
export type OffsetsSnapshot = Readonly<
  Record<string, { readonly next: number; readonly ahead: readonly (readonly [number, number])[] }>
>

interface Place {
  next: number
  /** Stretches beyond `next` that are done already, by where they begin: to the offset after them. */
  readonly ahead: Map<number, number>
}

export class Offsets {
  readonly #places = new Map<string, Place>()

  constructor(snapshot: OffsetsSnapshot = {}) {
    for (const [name, { next, ahead }] of Object.entries(snapshot)) {
      this.#places.set(name, { next, ahead: new Map(ahead) })
    }
  }

  snapshot(): OffsetsSnapshot {
    const places = [...this.#places].map(
      ([name, { next, ahead }]) => [name, { next, ahead: [...ahead] }] as const,
    )
    return Object.fromEntries(places)
  }

  /** A message was taken in. Messages of a batch may be noted in any order. */
  note({ topic, partition, from, offset }: Origin): void {
    const name = nameOf(topic, partition)
    const place = this.#places.get(name) ?? { next: 0, ahead: new Map<number, number>() }
    this.#places.set(name, place)
    if (offset < place.next) return
    place.ahead.set(from, offset + 1)
    for (;;) {
      // A log may begin later than at 0, and the first message says where.
      const start = place.ahead.has(place.next) ? place.next : firstOf(place)
      const end = start === undefined ? undefined : place.ahead.get(start)
      if (start === undefined || end === undefined) return
      place.ahead.delete(start)
      place.next = Math.max(place.next, end)
    }
  }

  /** Where to read on: all before it was taken in. */
  next(topic: string, partition: number): number {
    return this.#places.get(nameOf(topic, partition))?.next ?? 0
  }
}

/** Where a stretch covers `next` although it begins before it. */
function firstOf({ next, ahead }: Place): number | undefined {
  return [...ahead].find(([from]) => from < next)?.[0]
}

function nameOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}
