/**
 * CRC-32C (Castagnoli polynomial, RFC 3720 appendix B.4): finds damaged bytes in what was stored.
 * It is no protection against intent; that is what the hashes in `hash.ts` are for.
 */

const POLYNOMIAL = 0x82f63b78

/** Eight tables, so that eight bytes are taken in a step (Intel's "slicing by 8", 2006). */
const TABLES: readonly Uint32Array[] = buildTables()
const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES as readonly [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
]

/**
 * The checksum of `bytes[start, end)` as an unsigned 32-bit number. `previous` continues from the
 * checksum of the bytes before, so that a text in pieces has the checksum of the whole.
 */
export function crc32c(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  previous = 0,
): number {
  let crc = ~previous
  let i = start
  for (; i + 8 <= end; i += 8) {
    crc ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24)
    crc =
      T7[crc & 0xff] ^
      T6[(crc >>> 8) & 0xff] ^
      T5[(crc >>> 16) & 0xff] ^
      T4[crc >>> 24] ^
      T3[bytes[i + 4]] ^
      T2[bytes[i + 5]] ^
      T1[bytes[i + 6]] ^
      T0[bytes[i + 7]]
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ T0[(crc ^ bytes[i]) & 0xff]
  return ~crc >>> 0
}

function buildTables(): Uint32Array[] {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256))
  for (let n = 0; n < 256; n++) {
    let crc = n
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[0][n] = crc
  }
  for (let k = 1; k < 8; k++) {
    for (let n = 0; n < 256; n++) {
      const before = tables[k - 1][n]
      tables[k][n] = (before >>> 8) ^ tables[0][before & 0xff]
    }
  }
  return tables
}
