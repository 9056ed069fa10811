// `assay run`: a project's whole pipeline in one process, without a server and without traffic.
import { resolve } from 'node:path'
import { exitCodes, homeHint, stageLines, type RunOptions, type Terminal } from '../../cli/index.ts'
import { systemClock } from '../../lib/clock.ts'
import { contentHash } from '../../lib/hash.ts'
import { systemIds } from '../../lib/ids.ts'
import { learnFlow, otherSnapshots, runPipeline, type Examined } from '../../pipelines/index.ts'
import {
  basePath,
  codeEnvironment,
  codeRevision,
  type Home,
  type LoadedProject,
} from '../../projects/index.ts'
import type { ModelVersion } from '../../registry/index.ts'
import { version } from '../config.ts'
import type { Metadata } from '../metadata.ts'
import { dataFile } from '../project-data.ts'
import { scoreOutside } from '../outside-adoption.ts'
import { allowsPrivate } from '../outside-runtimes.ts'
import { keepReference } from '../references.ts'
import { byCommand, withMetadata } from './connection.ts'
import { ingestPortsOf } from './engines.ts'
import { projectIn } from './project.ts'

/** Ends with `notHeld` where no version of this run holds its gate. */
export async function run(path: string, options: RunOptions, terminal: Terminal): Promise<number> {
  const project = await projectIn(path)
  const home = resolve(options.home)
  terminal.out.line(`${project.compiled.title}: ${project.directory}, kept in ${home}`)
  return withMetadata(home, async (metadata, opened) => {
    const examined = await learn(project, options, metadata, opened, terminal)
    return report(await asTheyAre(examined, metadata), { path, home: options.home }, terminal)
  })
}

async function learn(
  project: LoadedProject,
  options: RunOptions,
  metadata: Metadata,
  home: Home,
  terminal: Terminal,
): Promise<Examined[]> {
  const { compiled, directory } = project
  const by = byCommand('run')
  const data = options.data === undefined ? null : resolve(options.data)
  const revision = codeRevision(directory, version)
  const examined: Examined[] = []
  await metadata.projects.apply(compiled, by)
  const steps = learnFlow(
    {
      project: compiled,
      file: () => dataFile(data, project, home.incoming),
      checkpointPath: basePath(home, compiled.policies[0].featureSets),
      by,
      codeRevision: revision,
      environment: codeEnvironment(directory),
      noCache: !options.cache,
    },
    {
      ...metadata,
      scoreOutside: scoreOutside(home, { allowPrivate: allowsPrivate() }),
      ingest: ingestPortsOf(home, metadata),
      keepReference: (modelHash, reference) => keepReference(home, modelHash, reference),
      live: undefined,
      onExamined: (each) => examined.push(each),
    },
  )
  // The key differs from that of `start`, which must still send what it learns to traffic.
  const others = await otherSnapshots(compiled, metadata.catalog)
  const key = contentHash(['run', compiled.version, revision, data, ...others])
  await runPipeline({ name: 'learn', key, actor: by.actor.id }, steps, {
    store: metadata.pipelines,
    clock: systemClock,
    ids: systemIds,
    onProgress: stageLines(terminal.out),
  })
  return examined
}

/** The versions of this run in the order of their numbers, with the status that they have now. */
async function asTheyAre(
  examined: readonly Examined[],
  { registry }: Metadata,
): Promise<Examined[]> {
  const now = examined.map(async (each) => {
    const { model, version: number } = each.version
    return { ...each, version: await registry.version(model, number) }
  })
  return (await Promise.all(now)).toSorted((a, b) => a.version.version - b.version.version)
}

function report(
  all: readonly Examined[],
  { path, home }: { readonly path: string; readonly home: string },
  { out }: Terminal,
): number {
  out.line()
  for (const { version: each, gate } of all) {
    const mark = gate.passed ? out.style('green', '✓') : out.style('red', '✗')
    const name = `${each.model} version ${each.version}`
    out.line(
      `${mark} ${out.style('bold', name)} (${each.build.declaration}, ${each.modelHash.slice(0, 12)}): ${each.status}`,
    )
    for (const check of gate.checks) {
      out.line(`    ${check.passed ? '✓' : '✗'} ${check.message}`)
    }
  }
  const best = all.find(({ gate }) => gate.passed)?.version
  const atHome = homeHint(home)
  const where = `${path === '.' ? '' : ` --project ${path}`}${atHome}`
  out.line()
  out.line(out.style('bold', best === undefined ? 'No version holds its gate' : 'Try next'))
  for (const [what, command] of nextSteps(best, where, atHome))
    out.line(`  ${what.padEnd(42)}${command}`)
  return best === undefined ? exitCodes.notHeld : exitCodes.ok
}

function nextSteps(
  best: ModelVersion | undefined,
  where: string,
  atHome: string,
): [string, string][] {
  const start = `npx assay start${where}`
  if (best === undefined) {
    return [
      ['improve features or data, and run again', 'npx assay run'],
      ['compare the runs on the page', start],
    ]
  }
  const score: [string, string] = ['score a file with it', `npx assay score FILE${where}`]
  if (best.status === 'approved') return [['send live traffic to it', start], score]
  return [
    [
      'make a key for each of two approvers',
      `npx assay keys create --role approver --name NAME${atHome}`,
    ],
    ['let them approve it on the page', start],
    score,
  ]
}
