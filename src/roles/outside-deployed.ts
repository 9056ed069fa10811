// Models of deployments that are computed outside of `decide`'s own thread: what takes part, and that it is
// ready before it decides.
import type { DeployedModel, DeployedPolicy } from '../decisions/index.ts'
import type { Remote } from '../lib/rpc.ts'
import type { VersionName } from '../registry/index.ts'
import type { ModelsRemote } from '../server/decide/index.ts'
import type { Deployment } from '../serving/index.ts'
import type { ServedPublisher } from './served-publisher.ts'

/** Every version that takes part in what is deployed now. */
export function partakers(history: readonly Deployment[]): readonly VersionName[] {
  return history
    .filter(({ toUs }) => toUs === undefined)
    .flatMap(({ model, version, lastGood, challengers = [] }) => [
      { model, version },
      ...(lastGood === undefined ? [] : [lastGood]),
      ...challengers.map((each) => ({ model: each.model, version: each.version })),
    ])
}

/**
 * Publishes what a document asks outside of `decide`, and waits until it is ready there. Errors:
 * `served_model_unready`, with the reason; `peer_unavailable` where `decide` is down.
 */
export async function modelsReady(
  document: DeployedPolicy,
  publisher: ServedPublisher,
  models: Remote<ModelsRemote>,
): Promise<void> {
  const outside = outsideIn(document)
  if (outside.length === 0) return
  await publisher.publish(outside.map(({ name: model, number: version }) => ({ model, version })))
  await Promise.all(outside.map(({ served }) => models.ready(served)))
}

function outsideIn({ model, lastGood, challengers = [] }: DeployedPolicy) {
  const all: DeployedModel[] = [model, ...(lastGood ? [lastGood.model] : [])]
  return [...all, ...challengers.map((each) => each.model)].flatMap(({ name, number, body }) =>
    body.kind === 'outside' ? [{ name, number, served: body.served }] : [],
  )
}
