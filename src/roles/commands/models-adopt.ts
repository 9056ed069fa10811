// `assay models adopt`: a version that a client logged becomes one of the project's own model.
import { resolve } from 'node:path'
import { exitCodes, type ModelsOptions, type Terminal } from '../../cli/index.ts'
import { adoptModel, type Examined } from '../../pipelines/index.ts'
import { codeEnvironment, codeRevision } from '../../projects/index.ts'
import { examineLogged } from '../../registry/index.ts'
import { version as assayVersion } from '../config.ts'
import { byCommand, withMetadata } from './connection.ts'
import { snapshotsOf } from './engines.ts'
import { commandErrors } from './errors.ts'
import { loggedFiles } from './models-score.ts'
import { oneVersion } from './models.ts'
import { projectIn } from './project.ts'

/**
 * Ends with `notHeld` where the gate refuses it. Errors: `version_not_adopted`, `inputs_unbound`,
 * `test_rows_missing`.
 */
export async function adopt(
  name: string,
  options: ModelsOptions,
  terminal: Terminal,
): Promise<number> {
  const { compiled: project, directory } = await projectIn(options.project ?? '.')
  const examined = await withMetadata(resolve(options.home), async (metadata, home) => {
    const version = await oneVersion(metadata.registry, name)
    const files = version.brought?.files
    if (files === undefined) {
      throw commandErrors.version_not_adopted(
        `${version.model} version ${version.version} was made here.`,
      )
    }
    const logged = await examineLogged(await loggedFiles(version, files, home))
    if (logged.content?.by !== 'engine') {
      throw commandErrors.version_not_adopted(
        `${version.model} version ${version.version}: ${logged.description.why}`,
      )
    }
    const by = byCommand('models adopt')
    await metadata.projects.apply(project, by)
    return adoptModel(
      { project, brought: version, model: logged.content.model, names: options.input ?? {} },
      {
        ...metadata,
        snapshots: snapshotsOf(home),
        by,
        codeRevision: codeRevision(directory, assayVersion),
        environment: codeEnvironment(directory),
      },
      (figure) => progress(figure, terminal),
    )
  })
  const { out } = terminal
  if (options.json) out.line(JSON.stringify(summaryOf(examined), null, 2))
  else print(examined, terminal)
  return examined.gate.passed ? exitCodes.ok : exitCodes.notHeld
}

function progress(figure: string, { err }: Terminal): void {
  if (err.interactive) err.raw(`\r\u001b[K${err.style('dim', `… ${figure}`)}`)
}

function summaryOf({ version, gate }: Examined) {
  const { model, version: number, status, metrics, thresholds } = version
  return { model, version: number, status, metrics, thresholds, checks: gate.checks }
}

function print({ version, gate }: Examined, { out, err }: Terminal): void {
  if (err.interactive) err.raw('\r\u001b[K')
  const mark = gate.passed ? out.style('green', '✓') : out.style('red', '✗')
  const { model, version: number, status } = version
  out.line(`${mark} ${out.style('bold', `${model} version ${number}`)}: ${status}`)
  for (const check of gate.checks) out.line(`    ${check.passed ? '✓' : '✗'} ${check.message}`)
}
