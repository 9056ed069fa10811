// The engines that made earlier records: for who explains a decision, or makes it again.
import { readDeployment } from './deployed.ts'
import { createEngine } from './engine.ts'
import type { DecisionEngine } from './engine.ts'
import { decisionErrors } from './errors.ts'
import type { Namespace } from './namespace.ts'

/** Each holds a model: so many stay at hand, and the one that was made first goes. */
const ENGINES_MAX = 16

/**
 * The engine that made a record: its deployment, over the features its state had then. Errors:
 * `deployment_not_found`, `deployment_invalid`.
 */
export async function engineOf(
  namespace: Namespace,
  deployment: string,
  layout: string,
): Promise<DecisionEngine> {
  const { engines } = namespace
  const key = `${deployment} ${layout}`
  const known = engines.get(key)
  if (known !== undefined) return known
  const document = await readDeployment(namespace.options.deployments, deployment)
  const names = namespace.layouts.get(layout)
  if (names === undefined) {
    throw decisionErrors.deployment_invalid(
      `The names of the features of layout ${layout} are not known.`,
    )
  }
  const engine = createEngine(document, names)
  if (engines.size >= ENGINES_MAX) engines.delete(engines.keys().next().value!)
  engines.set(key, engine)
  return engine
}
