// A home whose policy is answered by a model of another server, by an ONNX graph where that does not
// answer, and by rules and the declared outcome where neither does.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  directoryDeployments,
  publishDeployment,
  readDeployment,
  type DeployedModel,
} from '../../src/decisions/index.ts'
import { homeAt, type Home } from '../../src/projects/index.ts'
import { deploymentsDirectory } from '../../src/server/decide/index.ts'
import {
  publishServedModel,
  readCatalogue,
  writeCatalogue,
  type ServedModel,
} from '../../src/serving/index.ts'
import { repositoryRoot } from '../source-text.ts'
import { ownProject } from './own-project.ts'
import { allDone, eventually, run, startServer } from './server.ts'

export const MODEL = 'tiny-fraud'
/** What the model of another server is asked. */
export const FEATURES = ['AMOUNT', 'CUSTOMER_COUNT_1D', 'CUSTOMER_COUNT_7D', 'CUSTOMER_MEAN_7D']

const CHAMPION = 1
const LAST_GOOD = 3

export interface ChaosBank {
  readonly project: string
  /** The administrator's key. */
  readonly key: string | undefined
}

/** `fallback` is declared with the policy, as text. The home must be empty. */
export async function prepareChaosBank(
  home: string,
  url: string,
  fallback: string,
): Promise<ChaosBank> {
  const project = ownProject((source) =>
    source
      // A bank has no past to play again, and its clock is the wall's.
      .replace(/^ {2}replay: .*\n/m, '')
      .replace(/^( +reviewCapacityPerDay: 5,\n)/m, `$1      fallback: ${fallback},\n`),
  )
  for (const cached of [[], ['--no-cache']]) {
    const { code, err } = run(['run', project, '--home', home, ...cached])
    if (code !== 0) throw new Error(`The project could not be run: ${err}`)
  }
  const server = await startServer({ home, project, args: ['--no-replay'] })
  await server.printed(allDone)
  const { published } = homeAt(home)
  await eventually('both versions are served', async () => {
    const models = (await readCatalogue(published))?.models ?? []
    return [CHAMPION, LAST_GOOD].every((number) =>
      models.some(({ version }) => version === String(number)),
    )
  })
  await server.stop()
  await putOutside(homeAt(home), url)
  return { project, key: server.key }
}

/**
 * Puts the two models where the bank's own were, while the server stands: models that are computed
 * elsewhere have no way through the gates of this example, which measure what they approve.
 */
async function putOutside(home: Home, url: string): Promise<void> {
  const file = join(repositoryRoot, 'test', 'fixtures', 'models', 'outside-table.onnx')
  const graph = readFileSync(file).toString('base64')
  const champion = await serveInstead(home, CHAMPION, { kind: 'remote', url, model: MODEL })
  const lastGood = await serveInstead(home, LAST_GOOD, { kind: 'onnx', file: graph })

  const database = new DatabaseSync(home.database)
  const { id, body } = database
    .prepare('SELECT id, body FROM serving_deployments WHERE toUs IS NULL')
    .get() as { id: string; body: string }
  const { document: before } = JSON.parse(body) as { document: string }
  const directory = deploymentsDirectory(home)
  const live = await readDeployment(directoryDeployments(directory), before)
  const { thresholds } = live
  const document = await publishDeployment(directory, {
    ...live,
    model: champion,
    lastGood: { model: lastGood, thresholds },
  })
  database
    .prepare('UPDATE serving_deployments SET body = ? WHERE id = ?')
    .run(body.replaceAll(before, document), id)
  database.close()
}

async function serveInstead(
  { published }: Home,
  number: number,
  body: ServedModel['body'],
): Promise<DeployedModel> {
  const version = String(number)
  const { models } = (await readCatalogue(published))!
  const document = await publishServedModel(published, { format: 1, name: MODEL, version, body })
  await writeCatalogue(
    published,
    models.map((entry) => (entry.version === version ? { ...entry, document } : entry)),
  )
  const outside = { kind: 'outside', features: FEATURES, served: document } as const
  return { name: MODEL, number, version: document, body: outside }
}
