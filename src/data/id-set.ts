/**
 * The ids seen so far. Ids that are the plain decimal text of a safe integer, which is most of them,
 * take eight bytes each in an open-addressing table; others are kept as text.
 */
export class IdSet {
  private slots = new Float64Array(1 << 12).fill(NaN)
  private used = 0
  private readonly texts = new Set<string>()

  get size(): number {
    return this.used + this.texts.size
  }

  /** Adds an id and says whether it is new. A number and its decimal text are one id. */
  add(id: number | string): boolean {
    const number = typeof id === 'number' ? id : plainInteger(id)
    if (number === undefined) {
      const before = this.texts.size
      this.texts.add(id as string)
      return this.texts.size > before
    }
    if (this.used * 2 >= this.slots.length) this.grow()
    const slot = slotOf(this.slots, number)
    if (this.slots[slot] === number) return false
    this.slots[slot] = number
    this.used++
    return true
  }

  private grow(): void {
    const old = this.slots
    this.slots = new Float64Array(old.length * 2).fill(NaN)
    for (const number of old) {
      if (!Number.isNaN(number)) this.slots[slotOf(this.slots, number)] = number
    }
  }
}

/** The safe integer whose plain decimal text this is; undefined for any other text. */
export function plainInteger(text: string): number | undefined {
  if (text.length > 17) return undefined
  const first = text.charCodeAt(0)
  // Most other texts start with a letter and need no conversion.
  if (first !== 0x2d && (first < 0x30 || first > 0x39)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) && String(value) === text ? value : undefined
}

/**
 * Linear probing from a multiplicative hash (Knuth, TAOCP 3, 6.4). Ids are mostly counted upwards, so
 * eight neighbours share a start in one cache line.
 */
function slotOf(slots: Float64Array, number: number): number {
  const mask = slots.length - 1
  const group = Math.floor(number / 8)
  const high = Math.floor(group / 0x1_0000_0000)
  const mixed = Math.imul((group | 0) ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1)
  let slot = (((mixed ^ (mixed >>> 15)) << 3) | (number & 7)) & mask
  for (;;) {
    const held = slots[slot]
    if (held === number || Number.isNaN(held)) return slot
    slot = (slot + 1) & mask
  }
}
