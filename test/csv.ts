// Reads CSV by other means than those that write it.
import { expect } from 'vitest'

/** RFC 4180: rows of fields, quotes undone. */
export function parseCsv(text: string): string[][] {
  expect(text).toMatch(/\r\n$/)
  const rows: string[][] = [[]]
  const fields = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r\n)/gy
  for (let match = fields.exec(text); match !== null; match = fields.exec(text)) {
    rows.at(-1)!.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
    if (match[3] === '\r\n') rows.push([])
  }
  return rows.slice(0, -1)
}
