// How sketches are saved: four bytes that say which one, its numbers, its memory. Little-endian.
import { defineErrors } from '../errors.ts'

export const sketchErrors = defineErrors({
  sketch_damaged: {
    status: 500,
    title: 'A saved sketch cannot be read',
    action: 'Make it again from what it was counted from.',
  },
  sketch_mismatch: {
    status: 400,
    title: 'The sketches do not fit together',
    action: 'Merge only sketches of one kind that were made with the same options.',
  },
})

/** `kind` has four characters. */
export function saved(kind: string, numbers: readonly number[], memory: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + numbers.length * 8 + memory.length)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < 4; i++) bytes[i] = kind.charCodeAt(i)
  view.setUint32(4, numbers.length, true)
  numbers.forEach((number, i) => view.setFloat64(8 + i * 8, number, true))
  bytes.set(memory, 8 + numbers.length * 8)
  return bytes
}

/** Error: `sketch_damaged` where the bytes are not of this kind, or too few. */
export function opened(
  kind: string,
  count: number,
  bytes: Uint8Array,
): { readonly numbers: number[]; readonly memory: Uint8Array } {
  const found = String.fromCharCode(...bytes.subarray(0, 4))
  const end = 8 + count * 8
  if (found !== kind || bytes.length < end) {
    throw sketchErrors.sketch_damaged(`${bytes.length} bytes are no saved sketch "${kind}".`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(4, true) !== count) {
    throw sketchErrors.sketch_damaged(`The sketch "${kind}" has another number of figures.`)
  }
  const numbers = Array.from({ length: count }, (_, i) => view.getFloat64(8 + i * 8, true))
  // A `Buffer` would give a view of its pool.
  return { numbers, memory: new Uint8Array(bytes.subarray(end)) }
}
