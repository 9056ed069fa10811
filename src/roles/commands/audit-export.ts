import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { count, exitCodes, type HomeOptions, type Terminal } from '../../cli/index.ts'
import { withKept } from './connection.ts'
import { commandErrors } from './errors.ts'

/** `assay audit export`: every entry and the signed checkpoint, with the public key beside them. */
export function auditExport(
  file: string,
  options: HomeOptions,
  { out }: Terminal,
): Promise<number> {
  return withKept(options.home, async ({ auditor }) => {
    const { lines, publicKey } = await auditor.export()
    const keyFile = `${file.replace(/\.[^./\\]+$/, '')}.pub`
    try {
      await pipeline(Readable.from(withLineEnds(lines)), createWriteStream(file))
      await writeFile(keyFile, publicKey)
    } catch (cause) {
      throw commandErrors.output_unwritable((cause as Error).message, { cause })
    }
    out.line(`${count(lines.length - 1)} entries and the signed checkpoint are in ${file}.`)
    out.line(`The key that checks them is in ${keyFile}: give it to the auditor beforehand.`)
    return exitCodes.ok
  })
}

function* withLineEnds(lines: readonly string[]): Generator<string> {
  for (const line of lines) yield `${line}\n`
}
