/** Doubles of a cache line. */
const LINE = 8
/** How much longer a record may become so that each begins with a cache line. */
const LINED_MAX = 1.1

/**
 * What is kept for each entity of one kind, side by side in one record: integers first, then doubles.
 * An event touches everything of its entities, and nothing of others, so one record should be a few
 * neighbouring cache lines.
 */
export class EntityRecords {
  integers = new Int32Array(0)
  /** The same memory, in doubles. */
  doubles = new Float64Array(0)
  /** By entity: when its oldest event was. Kept apart, because all of them are gone through. */
  oldestUs = new Float64Array(0)
  private readonly doublesFrom: number
  /** Length of a record in doubles. */
  private readonly stride: number
  /** How many records there are. */
  size = 0

  constructor(integersEach: number, doublesEach: number) {
    this.doublesFrom = Math.ceil(integersEach / 2)
    const needed = this.doublesFrom + doublesEach
    const lined = Math.ceil(needed / LINE) * LINE
    // A record that begins with a cache line takes up one less, which is worth a little room.
    this.stride = lined <= needed * LINED_MAX ? lined : needed
  }

  /** Makes room for entities up to this one. */
  reserve(entity: number): void {
    if (entity < this.size) return
    this.size = Math.max(64, entity + 1, Math.ceil(this.size * 1.25))
    const memory = new ArrayBuffer(this.size * this.stride * 8)
    const doubles = new Float64Array(memory)
    doubles.set(this.doubles)
    this.doubles = doubles
    this.integers = new Int32Array(memory)
    const oldestUs = new Float64Array(this.size).fill(Infinity)
    oldestUs.set(this.oldestUs)
    this.oldestUs = oldestUs
  }

  /** Where an entity's integers begin in `integers`. */
  integersOf(entity: number): number {
    return entity * this.stride * 2
  }

  /** Where an entity's doubles begin in `doubles`. */
  doublesOf(entity: number): number {
    return entity * this.stride + this.doublesFrom
  }

  /** Looks at each cache line of what is kept of an entity; what it returns means nothing. */
  touch(entity: number): number {
    const end = (entity + 1) * this.stride
    let seen = this.oldestUs[entity]
    for (let at = entity * this.stride; at < end; at += LINE) seen += this.doubles[at]
    return seen
  }

  bytes(): number {
    return this.doubles.byteLength + this.oldestUs.byteLength
  }
}
