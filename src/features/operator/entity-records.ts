/**
 * What is kept for each entity of one kind, side by side in one record: doubles first, then
 * integers. An event touches everything of its entities, and nothing of others, so one record should
 * be a few neighbouring cache lines.
 */
export class EntityRecords {
  doubles = new Float64Array(0)
  /** The same memory, in integers. */
  integers = new Int32Array(0)
  private readonly doublesEach: number
  /** Length of a record in doubles. */
  private readonly stride: number
  /** How many records there are. */
  size = 0

  constructor(doublesEach: number, integersEach: number) {
    this.doublesEach = doublesEach
    this.stride = doublesEach + Math.ceil(integersEach / 2)
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

  /** Where an entity's doubles begin in `doubles`. */
  doublesOf(entity: number): number {
    return entity * this.stride
  }

  /** Where an entity's integers begin in `integers`. */
  integersOf(entity: number): number {
    return (entity * this.stride + this.doublesEach) * 2
  }

  bytes(): number {
    return this.doubles.byteLength
  }
}
