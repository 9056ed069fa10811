/**
 * What is kept for each entity of one kind, side by side in one record: integers first, then doubles.
 * An event touches everything of its entities, and nothing of others, so one record should be a few
 * neighbouring cache lines.
 */
export class EntityRecords {
  integers = new Int32Array(0)
  /** The same memory, in doubles. */
  doubles = new Float64Array(0)
  private readonly doublesFrom: number
  /** Length of a record in doubles. */
  private readonly stride: number
  /** How many records there are. */
  size = 0

  constructor(integersEach: number, doublesEach: number) {
    this.doublesFrom = Math.ceil(integersEach / 2)
    this.stride = this.doublesFrom + doublesEach
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
  }

  /** Where an entity's integers begin in `integers`. */
  integersOf(entity: number): number {
    return entity * this.stride * 2
  }

  /** Where an entity's doubles begin in `doubles`. */
  doublesOf(entity: number): number {
    return entity * this.stride + this.doublesFrom
  }

  /** Length of a record in bytes. */
  get bytesEach(): number {
    return this.stride * 8
  }

  bytes(): number {
    return this.doubles.byteLength
  }
}
