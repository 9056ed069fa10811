// `assay reproduce`: trains a version again from its record and compares the bytes.
import { writeFile } from 'node:fs/promises'
import { exitCodes, type ReproduceOptions, type Terminal } from '../../cli/index.ts'
import { reproduce as reproduceVersion, type Reproduction } from '../../pipelines/index.ts'
import { learnsAndDecides } from '../../projects/index.ts'
import type { ModelVersion } from '../../registry/index.ts'
import { version as assayVersion } from '../config.ts'
import { withKept } from './connection.ts'
import { snapshotsOf } from './engines.ts'
import { commandErrors } from './errors.ts'
import { namedFile } from './named-file.ts'

/** Ends with `notHeld` where the bytes differ. */
export async function reproduce(
  name: string,
  options: ReproduceOptions,
  terminal: Terminal,
): Promise<number> {
  const { model, number } = versionNamed(name)
  const file = options.data === undefined ? undefined : await namedFile(options.data)
  const { version, made } = await withKept(options.home, async (kept) => {
    const wanted = await kept.registry.version(model, number)
    const { registry, tracking, catalog, home, projects } = kept
    const ports = {
      registry,
      tracking,
      catalog,
      snapshots: snapshotsOf(home),
      projectAt: async (atUs: number) => {
        const project = (await projects.at(atUs))?.project
        return project && learnsAndDecides(project) ? project : undefined
      },
      file,
    }
    const { err } = terminal
    const show = (figure: string) => {
      if (err.interactive) err.raw(`\r\u001b[K${err.style('dim', `… ${figure}`)}`)
    }
    const reproduction = await reproduceVersion(wanted, ports, show)
    if (err.interactive) err.raw('\r\u001b[K')
    return { version: wanted, made: reproduction }
  })
  if (options.out !== undefined) {
    const { out } = options
    await writeFile(out, made.madeJson).catch((cause: Error) => {
      throw commandErrors.output_unwritable(`${out}: ${cause.message}`, { cause })
    })
  }
  if (options.json) terminal.out.line(JSON.stringify(summaryOf(version, made)))
  else print(version, made, terminal)
  return made.identical ? exitCodes.ok : exitCodes.notHeld
}

/** `card-fraud@3`. Error: `option_invalid`. */
function versionNamed(name: string): { model: string; number: number } {
  const [, model, number] = /^(.+)@([1-9]\d{0,8})$/.exec(name) ?? []
  if (model !== undefined) return { model, number: Number(number) }
  throw commandErrors.option_invalid(
    `"${name}" names no version; write MODEL@VERSION, such as card-fraud@1.`,
  )
}

function summaryOf(version: ModelVersion, made: Reproduction) {
  return {
    model: version.model,
    version: version.version,
    identical: made.identical,
    recorded: made.recorded,
    made: made.made,
    from: made.from,
    codeRevision: version.build.codeRevision,
    assay: assayVersion,
    difference: made.difference,
  }
}

function print(version: ModelVersion, made: Reproduction, { out }: Terminal): void {
  out.line(out.style('bold', `${version.model} version ${version.version}, trained again from`))
  for (const line of made.from) out.line(`  ${line}`)
  out.line(`  code then: ${version.build.codeRevision}; now: assay ${assayVersion}`)
  out.line()
  out.line(`recorded  ${made.recorded}`)
  out.line(`made now  ${made.made}`)
  const { difference } = made
  if (difference === null) {
    out.line(out.style('green', '✓ identical, byte for byte'))
    return
  }
  out.line(out.style('red', `✗ not the same: the texts part at character ${difference.at}`))
  out.line(`  recorded  …${difference.recorded}…`)
  out.line(`  made now  …${difference.made}…`)
}
