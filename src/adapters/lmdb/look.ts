// Reads every key and value of a store, and ends: a process of its own, because a spoilt page may end it.
// Arguments: its directory, and the names of its tables where it has any.
import { open } from 'lmdb'

const [, , directory, ...tables] = process.argv
const root = open<Uint8Array, string>({
  path: directory,
  noSubdir: false,
  readOnly: true,
  encoding: 'binary',
})
let bytes = 0
for (const table of tables)
  read(root.openDB<Uint8Array, string>({ name: table, encoding: 'binary' }))
if (tables.length === 0) read(root)
await root.close()
process.exit(bytes >= 0 ? 0 : 1)

function read(table: Pick<typeof root, 'getRange'>): void {
  for (const { value } of table.getRange({})) bytes += value.length
}
