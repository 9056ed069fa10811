// `assay pipelines run --dry-run`: what would run, and why.
import { exitCodes, printTable, type PipelinesRunOptions, type Terminal } from '../../cli/index.ts'
import { planRun, type RunRequest } from '../../pipelines/index.ts'
import { enginePorts } from '../pipeline-engine.ts'
import type { KeptPipelines } from './connection.ts'

export async function printDryRun(
  request: RunRequest,
  kept: KeptPipelines,
  { json }: PipelinesRunOptions,
  { out }: Terminal,
): Promise<number> {
  const ports = enginePorts({
    home: kept.home,
    project: request.directory,
    store: kept.engine,
    catalog: kept.catalog,
  })
  const plan = await planRun(request, ports)
  if (json) {
    out.line(JSON.stringify(plan.map(({ step, would, why, key }) => ({ step, would, why, key }))))
  } else {
    printTable(
      out,
      ['step', 'would', 'why'],
      plan.map(({ step, would, why }) => [step, would, why]),
    )
  }
  return plan.some(({ would }) => would === 'fail') ? exitCodes.failed : exitCodes.ok
}
